using Isolation.Cgroups;
using Isolation.Linux;

namespace Isolation;

public sealed partial class Container
{
    internal PauseGate Gate { get; } = new();

    /// <summary>
    /// Stops every process of the container: by the freezer of its control group, unseen by the programs, where it has a
    /// group of v2, or one of v1 with <see cref="CgroupController.Freezer"/>
    /// (<see cref="ContainerBuilder.WithCgroupControllers"/>); else with SIGSTOP. None slips through, and programs that are
    /// being started in it are waited for. When this returns every process is frozen, or has the signal; one that is
    /// inside the kernel then stops as it leaves it. Does nothing if it is paused. Any number of pauses and resumptions
    /// may be under way at once: they take turns. A paused container can be killed and disposed.
    /// </summary>
    /// <param name="cancellationToken">Heard until the first signal is sent, or all are frozen.</param>
    /// <exception cref="ContainerStateException">The container has ended.</exception>
    /// <exception cref="CgroupException">A process did not freeze within ten seconds, because it waits inside the kernel: all go on.</exception>
    /// <exception cref="InvalidOperationException">It has no pid namespace of its own, so that nobody knows which processes are its.</exception>
    public async Task PauseAsync(CancellationToken cancellationToken = default)
    {
        await TakeTurnAsync(cancellationToken).ConfigureAwait(false);
        bool paused = false;
        try
        {
            ThrowIfEnded(Pausing);
            if (paused = Launch.IsPaused) return;
            await Gate.CloseAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
            if (Launch.Group is { CanFreeze: true } group) await FreezeAsync(group, cancellationToken).ConfigureAwait(false);
            else await SignalAllAsync(Abi.SIGSTOP, Pausing).ConfigureAwait(false);
            Launch.IsPaused = paused = true;
            Launch.Observer.Paused();
        }
        finally
        {
            if (!paused) Gate.Open();
            Gate.EndTurn();
        }
    }

    /// <summary>Lets the processes of a paused container go on. Does nothing if it is not paused.</summary>
    /// <param name="cancellationToken">Heard until the first signal is sent.</param>
    /// <exception cref="ContainerStateException">The container has ended.</exception>
    /// <exception cref="InvalidOperationException">It has no pid namespace of its own.</exception>
    public async Task ResumeAsync(CancellationToken cancellationToken = default)
    {
        await TakeTurnAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            ThrowIfEnded(Resuming);
            if (!Launch.IsPaused) return;
            if (Launch.Group is { CanFreeze: true } group) await ThawAsync(group).ConfigureAwait(false);
            else await SignalAllAsync(Abi.SIGCONT, Resuming).ConfigureAwait(false);
            Launch.IsPaused = false;
            Launch.Observer.Resumed();
            Gate.Open();
        }
        finally
        {
            Gate.EndTurn();
        }
    }

    private const string Pausing = "It cannot be paused", Resuming = "It cannot be resumed";

    private Task TakeTurnAsync(CancellationToken cancellationToken)
    {
        if (!Spec.Namespaces.IsNew(NamespaceKind.Pid)) throw new InvalidOperationException("Only a container with a pid namespace of its own can be paused: leave WithPidNs out.");
        return Gate.TakeTurnAsync(cancellationToken);
    }

    private void ThrowIfEnded(string what)
    {
        if (!IsRunning) throw new ContainerStateException(what, ContainerState.Ended);
    }

    private async Task FreezeAsync(ContainerGroup group, CancellationToken cancellationToken)
    {
        try
        {
            await group.FreezeAsync(() => Launch.IsKilled, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is CgroupException or ObjectDisposedException)
        {
            if (await Ends(exception).ConfigureAwait(false)) throw new ContainerStateException(Pausing, ContainerState.Ended);
            throw;
        }

        // Killed meanwhile, and not frozen.
        if (Launch.IsKilled) throw new ContainerStateException(Pausing, ContainerState.Ended);
    }

    private async Task ThawAsync(ContainerGroup group)
    {
        try
        {
            group.Thaw();
        }
        catch (Exception exception) when (exception is CgroupException or ObjectDisposedException)
        {
            if (await Ends(exception).ConfigureAwait(false)) throw new ContainerStateException(Resuming, ContainerState.Ended);
            throw;
        }
    }

    // A group is disposed of because its container ends.
    private async ValueTask<bool> Ends(Exception exception) => await Launch.EndsSoonAsync().ConfigureAwait(false) || exception is ObjectDisposedException;

    /// <summary>
    /// From inside, kill(2) with -1 reaches all but the first process, and that one is reached from outside. Where only
    /// half of a pause worked, it is taken back.
    /// </summary>
    private async Task SignalAllAsync(int signal, string what)
    {
        try
        {
            if (!Launch.Signal(signal)) throw new ContainerStateException(what, ContainerState.Ended);
            ContainerResult sent = await SignalOthersAsync(signal).ConfigureAwait(false);
            if (sent.Succeeded) return;
            if (await Launch.EndsSoonAsync().ConfigureAwait(false)) throw new ContainerStateException(what, ContainerState.Ended);
            throw new ContainerException(ContainerErrorReason.LaunchFailed, $"{what}: what was to signal its processes ended with {sent}", null, null);
        }
        catch (Exception exception)
        {
            if (exception is ContainerException refused && LaunchFailures.MayMeanAnEnd(refused) && await Launch.EndsSoonAsync().ConfigureAwait(false)) throw new ContainerStateException(what, ContainerState.Ended);
            if (signal == Abi.SIGSTOP && IsRunning) await TakeBackAsync().ConfigureAwait(false);
            throw;
        }
    }

    private async Task TakeBackAsync()
    {
        try
        {
            Launch.Signal(Abi.SIGCONT);
            await SignalOthersAsync(Abi.SIGCONT).ConfigureAwait(false);
        }
        catch (ContainerException)
        {
            // What hindered the pause hinders this; the caller hears of the first.
        }
    }

    private Task<ContainerResult> SignalOthersAsync(int signal) =>
        ContainerLaunch.Begin(ExecSpec.In(this) with { SignalAll = signal, Command = ["signal"], WorkingDirectory = "/", User = null }, CancellationToken.None).Ended;
}
