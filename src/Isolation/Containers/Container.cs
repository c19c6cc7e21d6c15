using Isolation.Linux;

namespace Isolation;

/// <summary>
/// A container that was started: its program runs, or has ended. Safe from any thread. Disposing it ends what still runs.
/// When the process that started it dies, however it dies, the kernel kills the container (prctl(2), PR_SET_PDEATHSIG).
/// </summary>
public sealed class Container : IAsyncDisposable
{
    private readonly ContainerLaunch _launch;

    internal Container(ContainerLaunch launch) => _launch = launch;

    /// <summary>Twelve hexadecimal digits, drawn at random.</summary>
    public string Id => _launch.Id;

    /// <summary>The id of the container's first process, as the calling process sees it.</summary>
    public int ProcessId => _launch.ProcessId;

    /// <summary>What it was started from.</summary>
    public ContainerSpec Spec => _launch.Spec;

    /// <summary>What was asked for, entry by entry, and what was really applied.</summary>
    public IReadOnlyList<EnforcementEntry> Enforcement => _launch.Enforcement;

    /// <summary>Whether the program still runs.</summary>
    public bool IsRunning => !_launch.Ended.IsCompleted;

    internal PidDescriptor Process => _launch.Process;

    /// <summary>Waits for the end of the program. Any number may wait; all get the same result.</summary>
    /// <param name="cancellationToken">Ends the wait, not the container.</param>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    public Task<ContainerResult> WaitAsync(CancellationToken cancellationToken = default) => _launch.Ended.WaitAsync(cancellationToken);

    /// <summary>
    /// Kills the container with SIGKILL and waits until it is gone. With a pid namespace of its own that ends every
    /// process in it. Does nothing if it has ended.
    /// </summary>
    /// <param name="cancellationToken">Ends the wait; the kill stands.</param>
    public async Task KillAsync(CancellationToken cancellationToken = default)
    {
        _launch.Kill();
        await _launch.Ended.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Kills the container if it still runs, waits until it is gone, and lets go of its descriptors. More than once does nothing.</summary>
    public async ValueTask DisposeAsync()
    {
        _launch.Kill();
        await _launch.Ended.ConfigureAwait(false);
    }
}
