using System.Diagnostics;
using Isolation.Launch;
using Isolation.Linux;
using Microsoft.Extensions.Logging;

namespace Isolation;

/// <summary>
/// Told what happens in the life of one program, and tells whoever asked: the log, the trace, the meters, the events. It
/// keeps a few moments and nothing else while nobody asks. It is told on the caller's, the launcher's and the events
/// thread, and holds that each begins once and ends once. Nothing that a logger or listener throws comes out of it.
/// </summary>
internal sealed class LaunchObserver
{
    private readonly ContainerSpec _spec;
    private readonly Activity? _span;
    private ContainerEvents? _events;
    private ContainerResult? _result;
    private LaunchTimeline _timeline = new();
    private DateTime _startedAt;
    private DateTime _endedAt;
    private int _processId;
    private Stage _stage;

    internal LaunchObserver(ContainerSpec spec)
    {
        _spec = spec;
        Id = RandomName.Hex(LaunchPlanner.IdLength);
        if (IsHidden) return;
        _span = LaunchSpans.Begin(IsExec ? "exec" : "launch", ContainerId, Program);
        Tell(static (me, _) =>
        {
            if (me.IsExec) LifeLog.ExecStarting(me.Logger, me.Id, me.ContainerId, me.Program);
            else LifeLog.ContainerStarting(me.Logger, me.Id, me.Program);
        }, 0);
    }

    private enum Stage : byte
    {
        Starting,
        Running,
        Over,
    }

    internal string Id { get; }

    /// <summary>Wall time from the call that started it.</summary>
    internal TimeSpan Elapsed => Stopwatch.GetElapsedTime(_timeline.Begun);

    private bool IsExec => _spec.EntersContainer is not null;

    /// <summary>What this library starts for its own ends is nobody's program: a probe, a signal to all, the agent of its files.</summary>
    private bool IsHidden => _spec.IsProbe || _spec.SignalAll != 0 || _spec.ServesFiles;

    private string ContainerId => _spec.EntersContainer?.Id ?? Id;

    private string Program => _spec.Command[0];

    private ILogger Logger => _spec.Logger;

    /// <summary>It waits for the launcher thread.</summary>
    internal void Prepared() => _timeline.Prepared = Stopwatch.GetTimestamp();

    /// <summary>The child exists, or cannot exist.</summary>
    internal void Born(LaunchRequest request)
    {
        _timeline.Taken = request.Taken;
        if (request.Process is not null) _timeline.Born = Stopwatch.GetTimestamp();
    }

    internal void Fallback(EnforcementNote note) =>
        Tell(static (me, note) => LaunchLog.Fallback(me.Logger, me.Id, note.Feature, note.Detail), note);

    internal void SharedTmpfs(string source, string other) =>
        Tell(static (me, shared) => LaunchLog.SharedTmpfs(me.Logger, shared.source, me.Id, shared.other), (source, other));

    /// <summary>The program runs. More than once does nothing.</summary>
    internal void Started(int processId)
    {
        if (IsHidden) return;
        lock (this)
        {
            if (_stage != Stage.Starting) return;
            _stage = Stage.Running;
            _processId = processId;
            _startedAt = DateTime.UtcNow;
            _timeline.Started = Stopwatch.GetTimestamp();
            if (_spec.OnEvent is not null) History();
        }

        _spec.EntersContainer?.Launch.Observer.Raise(StartedEvent());
        Tell(static (me, _) => LaunchMeters.Started(me.IsExec, me._timeline.Launch), 0);
        if (_span is not null)
        {
            _span.SetTag("process.pid", processId);
            LaunchSpans.Phases(_span, _timeline);
            if (!IsExec) LaunchSpans.End(_span); // that of an exec lasts as long as its program
        }

        Tell(static (me, _) =>
        {
            double launch = me._timeline.Launch.TotalMilliseconds;
            if (me.IsExec) LifeLog.ExecStarted(me.Logger, me.Id, me.ContainerId, me.Program, me._processId, launch);
            else LifeLog.ContainerStarted(me.Logger, me.Id, me.Program, me._processId, launch);
        }, 0);
    }

    /// <summary>The launch has failed, or was cancelled; or of a program that runs nothing more can be known.</summary>
    internal void Failed(Exception exception)
    {
        if (IsHidden) return;
        bool ran;
        lock (this)
        {
            ran = _stage != Stage.Starting;
            if (!ran) _stage = Stage.Over;
        }

        if (ran)
        {
            End(null);
            return;
        }

        (string reason, string problem) = LaunchProblem.Of(exception);
        Tell(static (me, reason) => LaunchMeters.Failed(me.IsExec, reason), reason);
        if (_span is not null)
        {
            LaunchSpans.Phases(_span, _timeline);
            LaunchSpans.Fail(_span, reason, problem);
        }

        Tell(static (me, why) => me.LogFailure(why.Reason, why.Problem), (Reason: reason, Problem: problem));
    }

    /// <summary>The program has ended. More than once does nothing.</summary>
    internal void Ended(ContainerResult result, int processId)
    {
        if (IsHidden) return;
        Started(processId); // one that was killed before its program ran counts as one that ran for no time
        End(result);
    }

    /// <summary>It is about to be killed, for a reason.</summary>
    internal void Killing(ContainerOutcome why)
    {
        if (IsHidden || _stage == Stage.Over) return;
        if (why == ContainerOutcome.TimedOut) Raise(Event(ContainerEventKind.TimedOut));
        Tell(static (me, why) => me.LogKill(why), why);
    }

    /// <summary>Its stop signal is about to be sent.</summary>
    internal void Stopping(int signal, TimeSpan grace)
    {
        if (_stage != Stage.Running) return;
        Raise(Event(ContainerEventKind.Stopping) with { Signal = signal });
        Tell(static (me, stop) =>
        {
            if (me.IsExec) LifeLog.ExecStopping(me.Logger, me.Id, me.ContainerId, stop.signal, stop.grace);
            else LifeLog.ContainerStopping(me.Logger, me.Id, stop.signal, stop.grace);
        }, (signal, grace));
    }

    /// <summary>It has not ended in the time that a stop gave it.</summary>
    internal void GraceOver(TimeSpan grace)
    {
        if (_stage != Stage.Running) return;
        Tell(static (me, grace) =>
        {
            if (me.IsExec) LifeLog.ExecGraceOver(me.Logger, me.Id, me.ContainerId, grace);
            else LifeLog.ContainerGraceOver(me.Logger, me.Id, grace);
        }, grace);
    }

    internal void Paused()
    {
        Raise(Event(ContainerEventKind.Paused));
        Tell(static (me, _) => LifeLog.ContainerPaused(me.Logger, me.Id), 0);
    }

    internal void Resumed()
    {
        Raise(Event(ContainerEventKind.Resumed));
        Tell(static (me, _) => LifeLog.ContainerResumed(me.Logger, me.Id), 0);
    }

    internal void RootLeft(Exception exception) => Tell(static (me, problem) => LifeLog.ContainerRootLeft(me.Logger, me.Id, problem), exception.Message);

    internal void GroupLeft(Exception exception) => Tell(static (me, problem) => LifeLog.ContainerGroupLeft(me.Logger, me.Id, problem), exception.Message);

    internal void HandlerFailed(string call, Exception exception) => Tell((me, problem) => LifeLog.SystemCallUnanswered(me.Logger, me.Id, call, problem), exception.Message);

    /// <summary>The span of a stop; the caller ends it with <see cref="LaunchSpans.End"/>.</summary>
    internal Activity? BeginStop(int signal)
    {
        Activity? span = LaunchSpans.Begin("stop", ContainerId, Program);
        span?.SetTag("process.pid", _processId).SetTag("isolation.stop.signal", signal);
        return span;
    }

    /// <summary>All that has happened since the program started, and what happens from now on.</summary>
    internal IAsyncEnumerable<ContainerEvent> WatchAsync(CancellationToken cancellationToken)
    {
        lock (this) return History().ReadAsync(cancellationToken);
    }

    private void End(ContainerResult? result)
    {
        lock (this)
        {
            if (_stage != Stage.Running) return;
            _stage = Stage.Over;
            _result = result;
            _endedAt = DateTime.UtcNow;
            _timeline.Ended = Stopwatch.GetTimestamp();
            _events?.Complete(EndedEvent());
        }

        _spec.EntersContainer?.Launch.Observer.Raise(EndedEvent());
        Tell(static (me, _) => LaunchMeters.Ended(me.IsExec, me.Outcome, me._timeline.Run), 0);
        if (_span is not null && IsExec)
        {
            LaunchSpans.Outcome(_span, Outcome, result?.ExitCode, result?.Signal);
            LaunchSpans.End(_span);
        }

        Tell(static (me, result) => me.LogEnd(result), result);
    }

    private ContainerOutcome Outcome => _result?.Outcome ?? ContainerOutcome.Unknown;

    /// <summary>One more thing that happened while the program runs; what is said later than its end is left out.</summary>
    private void Raise(ContainerEvent happened)
    {
        lock (this)
        {
            if (_stage == Stage.Running) History().Add(happened);
        }
    }

    /// <summary>Made when there is more to keep than the two moments that are kept here anyway, or somebody who listens. Under the lock.</summary>
    private ContainerEvents History()
    {
        if (_events is not null) return _events;
        _events = new ContainerEvents(_spec.OnEvent, Logger);
        if (_stage != Stage.Starting) _events.Add(StartedEvent());
        if (_stage == Stage.Over) _events.Complete(EndedEvent());
        return _events;
    }

    private ContainerEvent StartedEvent() => Event(IsExec ? ContainerEventKind.ExecStarted : ContainerEventKind.Started) with { Time = _startedAt };

    private ContainerEvent EndedEvent() => Event(IsExec ? ContainerEventKind.ExecExited : ContainerEventKind.Exited) with
    {
        Time = _endedAt,
        Outcome = Outcome,
        ExitCode = _result?.ExitCode,
        Signal = _result?.Signal,
    };

    private ContainerEvent Event(ContainerEventKind kind) => new() { Kind = kind, Container = ContainerId, ProcessId = _processId, Time = DateTime.UtcNow };

    private void LogFailure(string reason, string problem)
    {
        bool cancelled = reason == LaunchProblem.Cancelled;
        if (IsExec && cancelled) LifeLog.ExecLaunchCancelled(Logger, Id, ContainerId);
        else if (IsExec) LifeLog.ExecLaunchFailed(Logger, Id, ContainerId, Program, reason, problem);
        else if (cancelled) LifeLog.ContainerLaunchCancelled(Logger, Id);
        else LifeLog.ContainerLaunchFailed(Logger, Id, Program, reason, problem);
    }

    private void LogKill(ContainerOutcome why)
    {
        bool timedOut = why == ContainerOutcome.TimedOut;
        if (IsExec && timedOut) LifeLog.ExecTimedOut(Logger, Id, ContainerId, _spec.Timeout);
        else if (IsExec) LifeLog.ExecKilled(Logger, Id, ContainerId, why);
        else if (timedOut) LifeLog.ContainerTimedOut(Logger, Id, _spec.Timeout);
        else LifeLog.ContainerKilled(Logger, Id, why);
    }

    private void LogEnd(ContainerResult? result)
    {
        double run = _timeline.Run.TotalMilliseconds;
        if (IsExec) LifeLog.ExecEnded(Logger, Id, ContainerId, Outcome, result?.ExitCode, result?.Signal, run);
        else LifeLog.ContainerEnded(Logger, Id, Outcome, result?.ExitCode, result?.Signal, run);
    }

    /// <summary>Loggers and listeners are somebody else's code, on threads that serve every container: what they throw ends here.</summary>
    private void Tell<T>(Action<LaunchObserver, T> tell, T what)
    {
        try
        {
            tell(this, what);
        }
        catch (Exception)
        {
            // There is nobody left to tell it to.
        }
    }
}
