using Isolation.Linux;

namespace Isolation;

/// <summary>Signals to a launch, of which the last ends it.</summary>
internal sealed partial class ContainerLaunch
{
    /// <summary>Sends a signal to the program; false when it has ended.</summary>
    internal bool Signal(int signal)
    {
        ExitWatch? exit;
        lock (_gate) exit = _exit;
        if (exit is null || Ended.IsCompleted) return false;

        // An init passes nothing on: the program itself is meant.
        return _messages.Program is { } program ? Send(program, signal) : Send(exit.Process, signal);
    }

    /// <summary>Ends the program and says why, if nothing else has ended it before.</summary>
    internal void Kill(ContainerOutcome why = ContainerOutcome.Killed)
    {
        bool first;
        lock (_gate)
        {
            first = _killedFor == ContainerOutcome.Unknown;
            if (first) _killedFor = why;
        }

        if (first) Observer.Killing(why);

        KillProcess();
    }

    /// <summary>
    /// Kills the first process, now or as soon as there is one. One that may just have made its successor and not yet said
    /// so is left to say it: else nobody would know of the successor.
    /// </summary>
    private void KillProcess()
    {
        ExitWatch? exit;
        lock (_gate)
        {
            _kill = true;
            exit = _goSent && _awaitsSuccessor ? null : _exit;
        }

        if (exit is null) return;
        exit.Kill();
        if (Spec.EntersContainer is { } container) container.Launch.Group?.LetDie(ProcessId);
        else Group?.LetDie(null, frozenByOthers: !IsPaused);
    }

    /// <summary>Whether it was killed from here, or is to be as soon as it is there.</summary>
    internal bool IsKilled
    {
        get
        {
            lock (_gate) return _kill;
        }
    }

    /// <summary>False where the process has ended, and was reaped, or let go of on the way to the end.</summary>
    internal static bool Send(PidDescriptor process, int signal)
    {
        try
        {
            return process.SendSignal(signal);
        }
        catch (ObjectDisposedException)
        {
            return false;
        }
    }
}
