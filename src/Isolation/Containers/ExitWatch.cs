using Isolation.Linux;

namespace Isolation;

/// <summary>Waits for the end of one process by its pidfd, and reaps it.</summary>
internal sealed class ExitWatch : IDescriptorHandler
{
    private readonly ContainerLaunch _launch;
    private readonly Registration _registration;
    private bool _ended;

    internal ExitWatch(ContainerLaunch launch, PidDescriptor process)
    {
        _launch = launch;
        Process = process;
        _registration = DescriptorEvents.Shared.Prepare(process, this);
    }

    internal PidDescriptor Process { get; }

    internal bool IsPredecessor { get; set; }

    internal void Start() => _registration.Start(Abi.EPOLLIN);

    internal void Kill() => ContainerLaunch.Send(Process, Abi.SIGKILL);

    public void OnReady(uint events)
    {
        // It may have announced a successor just before it ended.
        if (!IsPredecessor) _launch.ReadChannel();
        if (!Process.TryReap(out WaitStatus status, leave: !IsPredecessor && _launch.LeavesExit)) return;
        _ended = true;
        _registration.Dispose();
        Process.Dispose();
        if (!IsPredecessor) _launch.OnEnded(status);
    }

    /// <summary>Its end will not be heard of: it is ended and reaped here, and whoever waits is told why.</summary>
    public void OnFault(Exception exception)
    {
        if (_ended) return;
        _launch.Abandon(exception);
        Kill();
        Task.Run(() =>
        {
            try
            {
                while (!Process.TryReap(out _)) Thread.Sleep(1);
                Process.Dispose();
            }
            finally
            {
                _launch.Fail(exception);
            }
        });
    }
}
