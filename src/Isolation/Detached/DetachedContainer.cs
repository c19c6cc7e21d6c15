using System.Runtime.CompilerServices;
using Isolation.Cgroups;
using Isolation.Linux;

namespace Isolation;

/// <summary>
/// A container that lives without the process that started it, seen from any process of its user. Disposing it lets go of it, and ends nothing. Safe from any thread, and from
/// any number of processes.
/// </summary>
/// <remarks>
/// <para>Nobody of ours is there while no process of yours is: what a running process is needed for is done by the one that owns the container, and by nobody while there is none.
/// That is starting it anew (<see cref="RestartPolicy"/>), checking its health (<see cref="HealthCheck"/>) and rotating its log. The process that started it owns it until it
/// disposes this object or ends; then any other may with <see cref="Own"/>.</para>
/// <para>Its exit status is kept by its own first process, so it is there for whoever asks later, until the container is removed or the machine starts anew.</para>
/// </remarks>
public sealed class DetachedContainer : IAsyncDisposable
{
    internal const string DirectoryName = "detached";
    private readonly OciRuntimeRoot _root;
    private readonly DetachedFiles _files;
    private readonly Lock _gate = new();
    private DetachedOwner? _owner;

    private DetachedContainer(OciRuntimeRoot root, string id) => (_root, Id, _files) = (root, id, new(Path.Join(root.Directory, id)));

    /// <summary>Unique in the state directory of its host.</summary>
    public string Id { get; }

    /// <summary>Its first process, an init; 0 where it has ended.</summary>
    /// <exception cref="ContainerException">It was removed.</exception>
    public int ProcessId => Now().ProcessId;

    /// <summary>Where it is in its life, as the kernel says.</summary>
    /// <exception cref="ContainerException">It was removed.</exception>
    public ContainerState State => Now().Status switch
    {
        OciStatus.Running => ContainerState.Running,
        OciStatus.Paused => ContainerState.Paused,
        OciStatus.Stopped => ContainerState.Ended,
        _ => ContainerState.Starting,
    };

    /// <summary>What the last health checks have said.</summary>
    public HealthStatus Health => _files.Health;

    /// <summary>The file that its output goes to, unless it was said otherwise; older ones have <c>.1</c>, <c>.2</c> and so on.</summary>
    public string LogPath => _files.Log;

    internal static async Task<DetachedContainer> StartAsync(ContainerSpec spec, DetachOptions options, CancellationToken cancellationToken)
    {
        options.Check();
        DetachedLaunch.Check(spec);
        OciDocument document = spec.ToOci();
        OciRuntimeRoot root = RootOf(spec.Host ?? IsolationHost.Default);
        string id = options.Id ?? RandomName.Hex(12);
        DetachedContainer container = new(root, id);
        try
        {
            root.MakeDirectory(id);
        }
        catch (OciRuntimeException exception)
        {
            throw Failed(exception, "Cannot make the container", "take another id, or remove the container that has it");
        }

        try
        {
            using IDisposable locked = await root.LockAsync(id, cancellationToken).ConfigureAwait(false);
            File.WriteAllText(Path.Join(container._files.Directory, OciRecord.ConfigName), document.Json);
            await DetachedLaunch.RunAsync(spec, id, container._files, DateTimeOffset.UtcNow, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            Directory.Delete(container._files.Directory, recursive: true);
            throw;
        }

        container.Own(spec, options);
        return container;
    }

    internal static DetachedContainer Attach(IsolationHost host, string id)
    {
        ArgumentNullException.ThrowIfNull(id);
        DetachedContainer container = new(RootOf(host), id);
        container.Now();
        return container;
    }

    internal static OciRuntimeRoot RootOf(IsolationHost host) => new(Path.Join(host.StateDirectory, DirectoryName));

    /// <summary>Makes this process the owner, which starts it anew, checks it and rotates its log, until this object is disposed.</summary>
    /// <param name="spec">What it is started anew from; null for not at all.</param>
    /// <param name="options">What to do. Its id is of no concern.</param>
    /// <returns>Whether it is the owner now; false where another process is.</returns>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public bool Own(ContainerSpec? spec, DetachOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        if (spec is not null) DetachedLaunch.Check(spec);
        lock (_gate)
        {
            if (_owner is not null) return true;
            _owner = DetachedOwner.TryBegin(this, _root, _files, spec, options);
            return _owner is not null;
        }
    }

    /// <summary>Waits until its program has ended, whether or not it is started anew then.</summary>
    /// <param name="cancellationToken">Ends the wait, not the program.</param>
    /// <exception cref="ContainerException">It was removed.</exception>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    public async Task<ContainerResult> WaitAsync(CancellationToken cancellationToken = default)
    {
        using (PidDescriptor? process = Record().OpenProcess())
            if (process is not null) await ProcessEnd.WaitAsync(process, cancellationToken).ConfigureAwait(false);
        return _files.Result();
    }

    /// <summary>Asks the program to end, waits, and kills the container if it has not ended by then. It is not started anew.</summary>
    /// <param name="grace">How long to wait; null for <see cref="ContainerProcess.DefaultGrace"/>.</param>
    /// <param name="signal">A number, as in signal(7); SIGTERM by default.</param>
    /// <param name="cancellationToken">Ends the wait at once and kills.</param>
    /// <exception cref="ContainerException">It was removed.</exception>
    public async Task<ContainerResult> StopAsync(TimeSpan? grace = null, int signal = Abi.SIGTERM, CancellationToken cancellationToken = default)
    {
        _files.MarkStopped();
        Signal(signal);
        try
        {
            return await WaitAsync(cancellationToken).WaitAsync(grace ?? ContainerProcess.DefaultGrace, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is TimeoutException or OperationCanceledException)
        {
            return await KillAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <summary>Kills all of it and waits until it is gone. It is not started anew.</summary>
    /// <param name="cancellationToken">Ends the wait; the kill stands.</param>
    /// <exception cref="ContainerException">It was removed.</exception>
    public Task<ContainerResult> KillAsync(CancellationToken cancellationToken = default)
    {
        _files.MarkStopped();
        return EndAsync(cancellationToken);
    }

    /// <summary>Sends a signal to the program; does nothing where it has ended.</summary>
    /// <param name="signal">A number, as in signal(7).</param>
    public void Signal(int signal)
    {
        using PidDescriptor? program = _files.OpenProgram();
        program?.SendSignal(signal);
    }

    /// <summary>Runs a further program in it and waits for its end; its output is captured. It is killed with this process.</summary>
    /// <param name="command">The program and its arguments. What is not said is as it is for the container's own program.</param>
    /// <param name="cancellationToken">Kills the program.</param>
    /// <exception cref="ContainerException">The container has ended, or the program could not be started.</exception>
    public async Task<ContainerResult> ExecAsync(IReadOnlyList<string> command, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(command);
        ContainerSpec spec = Asked(() => _root.SpecOf(Id, new() { Command = command, Terminal = false }));
        try
        {
            return await spec.RunAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            spec.GivenGroup?.Close();
        }
    }

    /// <inheritdoc cref="ExecAsync(IReadOnlyList{string}, CancellationToken)"/>
    public Task<ContainerResult> ExecAsync(params string[] command) => ExecAsync((IReadOnlyList<string>)command);

    /// <summary>Stops all of it, unseen by its programs.</summary>
    /// <exception cref="ContainerException">It has no control group, or has ended.</exception>
    public async Task PauseAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            await _root.PauseAsync(Id, cancellationToken).ConfigureAwait(false);
        }
        catch (OciRuntimeException exception)
        {
            throw Failed(exception);
        }
    }

    /// <summary>Lets all of it go on.</summary>
    /// <exception cref="ContainerException">It is not paused.</exception>
    public void Resume() => Asked(() => { _root.Resume(Id); return true; });

    /// <summary>What it uses.</summary>
    /// <exception cref="ContainerException">It has no control group, or has ended.</exception>
    public CgroupStats ReadStats() => Asked(() => _root.ReadStats(Id));

    /// <summary>Changes its limits: all, or none. What is null stays as it is.</summary>
    /// <exception cref="ContainerException">It has no control group, or has ended, or a limit cannot be had.</exception>
    public void UpdateLimits(ResourceLimits limits)
    {
        ArgumentNullException.ThrowIfNull(limits);
        Asked(() => { _root.Update(Id, limits.ToOciJson()); return true; });
    }

    /// <summary>The lines of its log, the oldest first, and where it is followed those that come, until it has ended and is not started anew within a second.</summary>
    /// <param name="follow">Whether to wait for more.</param>
    /// <param name="cancellationToken">Ends the reading with an exception.</param>
    public async IAsyncEnumerable<string> ReadLogAsync(bool follow = false, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (string line in DetachedLog.ReadAsync(_files, follow ? () => State is ContainerState.Ended : null, cancellationToken).ConfigureAwait(false)) yield return line;
    }

    /// <summary>Removes it and all that is left of it: its log and its exit status too.</summary>
    /// <param name="force">One that runs is killed first.</param>
    /// <param name="cancellationToken">Ends the wait for its end.</param>
    /// <exception cref="ContainerException">It runs.</exception>
    public async Task RemoveAsync(bool force = false, CancellationToken cancellationToken = default)
    {
        try
        {
            if (force && Directory.Exists(_files.Directory)) _files.MarkStopped();
            if (!force && State is not ContainerState.Ended) throw new ContainerException(ContainerErrorReason.StateUnavailable, $"The container '{Id}' runs", null, "stop it first, or say force");
            await LetGoAsync().ConfigureAwait(false);
            await _root.DeleteAsync(Id, force, cancellationToken).ConfigureAwait(false);
        }
        catch (OciRuntimeException exception)
        {
            throw Failed(exception);
        }
    }

    /// <summary>Lets go of it: it goes on, and another process may own it.</summary>
    public async ValueTask DisposeAsync() => await LetGoAsync().ConfigureAwait(false);

    /// <summary>Kills it without a mark: it may be started anew.</summary>
    internal async Task<ContainerResult> EndAsync(CancellationToken cancellationToken)
    {
        try
        {
            _root.Kill(Id, Abi.SIGKILL);
        }
        catch (OciRuntimeException)
        {
            // It has ended, or was removed: the wait tells.
        }

        return await WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task LetGoAsync()
    {
        DetachedOwner? owner;
        lock (_gate) (owner, _owner) = (_owner, null);
        if (owner is not null) await owner.DisposeAsync().ConfigureAwait(false);
    }

    private OciState Now() => Asked(() => _root.GetState(Id));

    private OciRecord Record() => Asked(() => OciRecord.Load(_files.Directory)) ?? throw Failed(new OciRuntimeException($"container '{Id}' does not exist"));

    private static T Asked<T>(Func<T> ask)
    {
        try
        {
            return ask();
        }
        catch (OciRuntimeException exception)
        {
            throw Failed(exception);
        }
    }

    private static ContainerException Failed(OciRuntimeException exception, string what = "The container does not do that", string? remedy = null) => new(ContainerErrorReason.StateUnavailable, what, exception, remedy);
}
