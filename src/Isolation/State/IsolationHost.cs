using Isolation.Linux;

namespace Isolation;

/// <summary>
/// A place where the containers of this process are recorded before they are made, so that whoever opens the same place
/// next, in whatever process, finds and removes what a process that died has left. Opening does that. Containers that
/// were not given a host with <see cref="ContainerBuilder.WithHost"/> use <see cref="Default"/>. Safe from any thread;
/// one directory may be open any number of times, in one process or many.
/// </summary>
public sealed partial class IsolationHost : IAsyncDisposable
{
    private readonly StateDirectory _state;
    private readonly OwnerDirectory _owner;
    private readonly Lock _gate = new();
    private readonly HashSet<RecordFile> _records = [];
    private readonly bool _isDefault;
    private bool _disposed;
    private bool _closed;

    private IsolationHost(StateDirectory state, OwnerDirectory owner, HostRecovery recovery, bool isDefault)
    {
        (_state, _owner, Recovery, _isDefault) = (state, owner, recovery, isDefault);
        UserId = (uint)Syscall.Invoke(SystemCall.geteuid);
    }

    /// <summary>The directory of the records, an absolute path.</summary>
    public string StateDirectory => _state.Path;

    /// <summary>What the opening found of dead processes, and did about it.</summary>
    public HostRecovery Recovery { get; }

    internal uint UserId { get; }

    /// <summary>
    /// Opens a state directory, removes what dead processes have recorded there and left, and returns when it is gone;
    /// what is not within ten seconds is told in <see cref="HostRecovery.Left"/>.
    /// </summary>
    /// <param name="stateDirectory">
    /// A directory of this user's, made with mode 0700 if it is missing; on a local file system, best in memory. Null for
    /// the usual place: <c>/run/isolation</c> for root, <c>$XDG_RUNTIME_DIR/isolation</c> where that is this user's, or
    /// else <c>/tmp/isolation-&lt;uid&gt;</c>; the first of them that nobody else can write to.
    /// </param>
    /// <param name="cancellationToken">Ends the opening. Killing that was begun is finished by whoever opens next.</param>
    /// <exception cref="ContainerException">The directory cannot be used (<see cref="ContainerErrorReason.StateUnavailable"/>).</exception>
    /// <exception cref="OperationCanceledException">The opening was cancelled.</exception>
    public static Task<IsolationHost> OpenAsync(string? stateDirectory = null, CancellationToken cancellationToken = default)
    {
        if (stateDirectory is not null) ArgumentException.ThrowIfNullOrEmpty(stateDirectory);
        return Task.Run(() => Open(stateDirectory, isDefault: false, onStep: null, cancellationToken), cancellationToken);
    }

    /// <summary>
    /// The containers that run, of whichever process, as their records tell. One that starts or ends meanwhile may be
    /// among them or not.
    /// </summary>
    /// <exception cref="LinuxException">The state directory cannot be read.</exception>
    /// <exception cref="ObjectDisposedException">The host is disposed.</exception>
    public Task<IReadOnlyList<ContainerRecord>> ListAsync(CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return Task.Run(() => ContainerListing.Read(_state, DetachedContainer.RootOf(this).List(), cancellationToken), cancellationToken);
    }

    /// <summary>
    /// Kills the containers of this host that still run, waits until they are gone, and removes its part of the state
    /// directory. Those that were started with <see cref="ContainerBuilder.OutliveHost"/> go on, and their record stays
    /// until they end. No container can be started on it any more. The default host is not disposed: it does nothing there.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        if (_isDefault) return;
        ContainerLaunch[] attached;
        lock (_gate)
        {
            _disposed = true;
            attached = [.. _records.Select(record => record.Launch).Where(launch => !launch.Spec.OutlivesHost)];
        }

        foreach (ContainerLaunch launch in attached) launch.Kill(ContainerOutcome.KilledWithHost);
        foreach (ContainerLaunch launch in attached)
        {
            await ((Task)launch.Ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (launch.ReleaseRoot() is { } release) await release.ConfigureAwait(false); // of one that nobody has disposed
        }

        CloseWhenDone();
    }

    internal static IsolationHost Open(string? path, bool isDefault, Action<string>? onStep, CancellationToken cancellationToken)
    {
        StateDirectory state = Isolation.StateDirectory.Open(path);
        OwnerDirectory? owner = null;
        try
        {
            using Recovery recovery = new(state, onStep);
            using (state.Lock(cancellationToken))
            {
                recovery.Claim(); // first, so that what is made below is not found
                owner = OwnerDirectory.Make(state, cancellationToken);
            }

            return new(state, owner, recovery.Run(cancellationToken), isDefault);
        }
        catch (Exception exception)
        {
            owner?.Dispose();
            state.Dispose();
            if (exception is LinuxException cause) throw StateFailures.Failed(state.Path, cause);
            throw;
        }
    }

    /// <summary>Records a container that is about to be made.</summary>
    /// <exception cref="ContainerException">It cannot be recorded.</exception>
    /// <exception cref="ObjectDisposedException">The host is disposed.</exception>
    internal RecordFile Record(ContainerLaunch launch)
    {
        // Known before it is made, so that disposal, which waits for all that are known, cannot miss it.
        RecordFile record;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            record = RecordFile.Make(this, _owner, launch);
            _records.Add(record);
        }

        return record;
    }

    internal void Forget(RecordFile record)
    {
        lock (_gate) _records.Remove(record);
        CloseWhenDone();
    }

    private void CloseWhenDone()
    {
        lock (_gate)
        {
            if (!_disposed || _closed || _records.Count > 0) return;
            _closed = true;
        }

        _owner.Dispose();
        _state.Dispose();
    }
}
