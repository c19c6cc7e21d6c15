using Isolation.Linux;

namespace Isolation;

public sealed partial class Container
{
    /// <summary>
    /// Stops every process of the container with SIGSTOP. The kernel does not let a process that is being stopped fork, so
    /// none slips through. Does nothing if it is paused. A paused container can be killed and disposed.
    /// </summary>
    /// <exception cref="ContainerStateException">The container has ended.</exception>
    /// <exception cref="InvalidOperationException">It has no pid namespace of its own, so that nobody knows which processes are its.</exception>
    public Task PauseAsync(CancellationToken cancellationToken = default) => SignalAllAsync(Abi.SIGSTOP, pause: true, cancellationToken);

    /// <summary>Lets the processes of a paused container go on (SIGCONT). Does nothing if it is not paused.</summary>
    /// <exception cref="ContainerStateException">The container has ended.</exception>
    public Task ResumeAsync(CancellationToken cancellationToken = default) => SignalAllAsync(Abi.SIGCONT, pause: false, cancellationToken);

    private async Task SignalAllAsync(int signal, bool pause, CancellationToken cancellationToken)
    {
        if (!Spec.Namespaces.IsNew(NamespaceKind.Pid)) throw new InvalidOperationException("Only a container with a pid namespace of its own can be paused: leave WithPidNs out.");
        if (State == ContainerState.Ended) throw new ContainerStateException(pause ? "It cannot be paused" : "It cannot be resumed", State);
        if (Launch.IsPaused == pause) return;

        // From inside, kill(2) with -1 reaches all but the first process, and that one is reached from outside.
        Launch.IsPaused = pause;
        if (!Launch.Signal(signal)) throw new ContainerStateException(pause ? "It cannot be paused" : "It cannot be resumed", ContainerState.Ended);
        ContainerSpec all = ExecSpec.In(this) with { SignalAll = signal, Command = ["signal"], WorkingDirectory = "/", User = null };
        try
        {
            await ContainerLaunch.Begin(all, cancellationToken).Ended.ConfigureAwait(false);
        }
        catch (ContainerException) when (!IsRunning)
        {
            throw new ContainerStateException(pause ? "It cannot be paused" : "It cannot be resumed", ContainerState.Ended);
        }
    }
}
