using System.Runtime.InteropServices;
using Isolation.Launch;
using Isolation.Linux;

namespace Isolation;

/// <summary>How a launch ends: with its program, or with a failure.</summary>
internal sealed partial class ContainerLaunch
{
    private bool _groupRemoved;
    private bool _rootReleased;
    private HostedRoot? _root;
    private int _recordHolders = 1; // the group, and the root where the host has a part in it

    /// <summary>It is removed, or is about to be: what fails to do with it fails because the container ends.</summary>
    internal bool GroupIsRemoved => Volatile.Read(ref _groupRemoved);

    /// <summary>The last process of the launch has ended; on the events thread.</summary>
    internal void OnEnded(WaitStatus status)
    {
        // What it said and wrote before it ended is still in the channel and the pipes.
        ReadChannel();
        CloseChannel();
        if (Spec.EntersContainer is null && !Spec.Namespaces.IsHost(NamespaceKind.Pid)) _listener?.Dispose(); // nobody is left to ask
        try
        {
            (CapturedOutput output, CapturedOutput error, Task? pumps) = Streams.Finish();
            Terminal?.EndWhenEmpty();
            if (_shown is not null) output = _shown.Finish();
            _messages.Program?.Dispose();
            Complete(ProgramStatus(status), output, error, pumps);
        }
        catch (Exception exception)
        {
            Fail(Explained(exception));
        }
    }

    /// <summary>
    /// What an init passed on of the program: how it ended, and what it used. Where the init was killed before, its own
    /// end, and what it and all that it had reaped used.
    /// </summary>
    private WaitStatus ProgramStatus(WaitStatus status)
    {
        if (_descriptors.ExitStatus is null) return status;
        using (_descriptors.ExitStatus)
        {
            Span<byte> passed = stackalloc byte[InitSteps.StatusSize];
            if (Descriptors.TryRead(_descriptors.ExitStatus, passed) != passed.Length) return status;
            _peakFloor = 0; // the init made the program
            return WaitStatus.Of(MemoryMarshal.Read<int>(passed), MemoryMarshal.Read<rusage>(passed[8..]));
        }
    }

    private void Complete(WaitStatus status, CapturedOutput output, CapturedOutput error, Task? pumps)
    {
        _cancellationRegistration.Dispose();
        _timer?.Dispose();
        SharedTmpfs.Forget(this);
        Cgroups.CgroupStats? totals = Group?.ReadTotals();
        Task? removal = RemoveGroup();

        // What the child says it failed at comes first: that nobody reads our word to go on is only the consequence.
        Exception? failure = _messages.Fault is null ? _failure : LaunchFailures.Explain(_compiled, Spec, _messages);
        bool cancelled = _kill && _cancellation.IsCancellationRequested;
        if (!_started.Task.IsCompleted && (cancelled || failure is not null))
        {
            Complete(cancelled ? new OperationCanceledException(_cancellation) : failure!);
            return;
        }

        Task? release = _unattended || _killedFor == ContainerOutcome.KilledWithHost ? ReleaseRoot() : null;

        // Killed before its program started, by somebody else: that is how it ended.
        ContainerOutcome outcome = status.Outcome switch
        {
            WaitOutcome.Exited => ContainerOutcome.Exited,
            WaitOutcome.Unknown => ContainerOutcome.Unknown,
            _ when status.Signal == Abi.SIGKILL && _killedFor != ContainerOutcome.Unknown => _killedFor,
            _ when status.Signal == Abi.SIGKILL && RanOutOfMemory(totals) => ContainerOutcome.OutOfMemory,
            _ => ContainerOutcome.Signalled,
        };
        long? peak = status.MaxResidentBytes > _peakFloor ? status.MaxResidentBytes : null;
        ContainerResult result = new(status, outcome, peak, output, error, Observer.Elapsed, totals);
        Observer.Ended(result, ProcessId);
        _ready.TrySetResult();
        _started.TrySetResult();
        if (pumps is null && removal is null && release is null) _ended.TrySetResult(result);
        else _ = CompleteAfterAsync(Task.WhenAll(pumps ?? Task.CompletedTask, removal ?? Task.CompletedTask, release ?? Task.CompletedTask), result);
    }

    /// <summary>A further program has the container's group, of whose kills those since it was started may be its own.</summary>
    private bool RanOutOfMemory(Cgroups.CgroupStats? totals) =>
        Spec.EntersContainer is { } container ? container.Launch.Group?.ReadOomKills() > _oomKillsBefore : totals?.Memory.OomKills > 0;

    /// <summary>What the program wrote has been passed on when the wait for it ends; what failed to be fails the wait.</summary>
    private async Task CompleteAfterAsync(Task pumps, ContainerResult result)
    {
        try
        {
            await pumps.ConfigureAwait(false);
            _ended.TrySetResult(result);
        }
        catch (Exception exception)
        {
            _ended.TrySetException(exception);
            _ = _ended.Task.Exception;
        }
    }

    private async Task CompleteAfterAsync(Task release, Exception exception)
    {
        await release.ConfigureAwait(false);
        Complete(exception);
    }

    /// <summary>And the record after it, which tells of it.</summary>
    /// <returns>Null where it is gone, or somebody removes it already.</returns>
    private Task? RemoveGroup()
    {
        if (Interlocked.Exchange(ref _groupRemoved, true)) return null;
        Task? removal = Group?.Remove();
        if (removal is null)
        {
            LetGoOfRecord();
            return null;
        }

        return ForgetAfterAsync(removal);
    }

    /// <summary>Where it cannot be removed, the record stays, and whoever opens the state directory next tries again.</summary>
    private async Task ForgetAfterAsync(Task removal)
    {
        try
        {
            await removal.ConfigureAwait(false);
            LetGoOfRecord();
        }
        catch (Exception exception) when (exception is Cgroups.CgroupException or LinuxException)
        {
            Observer.GroupLeft(exception);
            _record?.Leave();
        }
    }

    /// <summary>Takes away what the host made of the root, and lets go of what was written; the program must have ended. More than once does nothing.</summary>
    /// <returns>Null where nothing is left to be done. Does not fail: what could not be removed is told to the log, and the record stays.</returns>
    internal Task? ReleaseRoot()
    {
        if (Interlocked.Exchange(ref _rootReleased, true)) return null;
        Layer?.Dispose();
        return _root is null ? null : ReleaseRootAsync(_root);
    }

    private async Task ReleaseRootAsync(HostedRoot root)
    {
        try
        {
            await root.ReleaseAsync().ConfigureAwait(false);
            LetGoOfRecord();
        }
        catch (Exception exception) when (exception is UnionFs.UnionFsException or LinuxException)
        {
            Observer.RootLeft(exception);
            _record?.Leave();
        }
    }

    /// <summary>The record is removed when nothing that it tells of is left.</summary>
    private void LetGoOfRecord()
    {
        if (Interlocked.Decrement(ref _recordHolders) != 0) return;
        _claims.Dispose();
        _record?.Delete();
    }

    internal void Fail(Exception exception)
    {
        _descriptors.ExitStatus?.Dispose();
        CloseChannel();
        _cancellationRegistration.Dispose();
        SharedTmpfs.Forget(this);
        Complete(exception);
    }

    private void Complete(Exception exception)
    {
        // Whoever hears of the failure finds nothing left.
        if (ReleaseRoot() is { } release)
        {
            _ = CompleteAfterAsync(release, exception);
            return;
        }

        Observer.Failed(exception);
        _listener?.Dispose();
        RemoveGroup();
        _timer?.Dispose();
        _messages.Program?.Dispose();
        _shown?.Close();
        Streams.Fail(exception);
        Terminal?.Fail(exception);
        _ready.TrySetException(exception);
        _ = _ready.Task.Exception;
        _started.TrySetException(exception);
        _ended.TrySetException(exception);
        _ = _started.Task.Exception; // whoever awaits either task hears of it; the other must not count as unobserved
        _ = _ended.Task.Exception;
    }
}
