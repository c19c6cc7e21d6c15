namespace Isolation;

/// <summary>A program that this process has started in a container of an OCI runtime, and is the parent of.</summary>
public sealed class OciProgram
{
    private readonly ContainerLaunch _launch;

    internal OciProgram(ContainerLaunch launch) => _launch = launch;

    /// <summary>As this process numbers it.</summary>
    public int ProcessId => _launch.ProcessId;

    /// <summary>Its terminal, where it has one that was not sent to a socket; else null.</summary>
    public ContainerTerminal? Terminal => _launch.Terminal;

    /// <summary>Sends it a signal; one that has ended gets none.</summary>
    public void Signal(int signal) => _launch.Process.SendSignal(signal);

    /// <summary>Waits until it has ended.</summary>
    /// <exception cref="OperationCanceledException">The wait was ended. The program goes on.</exception>
    public Task<ContainerResult> WaitAsync(CancellationToken cancellationToken = default) => _launch.Ended.WaitAsync(cancellationToken);
}
