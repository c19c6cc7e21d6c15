namespace Isolation;

/// <summary>
/// Says what further program to run in a container, in all of its namespaces. What is not said is as it is for the
/// container's own program: environment, user, working directory, capabilities, umask. Made by <see cref="Container.NewProcess"/>.
/// </summary>
public sealed class ExecBuilder : ProgramBuilder<ExecBuilder>
{
    private readonly Container _container;

    internal ExecBuilder(Container container)
        : base(ExecSpec.In(container)) => _container = container;

    /// <summary>Starts the program and returns when it runs.</summary>
    /// <exception cref="ContainerStateException">The container has ended or is paused.</exception>
    /// <exception cref="ContainerException">The program could not be started.</exception>
    /// <exception cref="OperationCanceledException">The launch was cancelled.</exception>
    public async Task<ContainerProcess> StartAsync(CancellationToken cancellationToken = default)
    {
        ContainerLaunch launch = Begin(cancellationToken);
        await launch.Started.ConfigureAwait(false);
        return new ContainerProcess(launch);
    }

    /// <summary>Starts the program and waits for its end.</summary>
    /// <exception cref="ContainerStateException">The container has ended or is paused.</exception>
    /// <exception cref="ContainerException">The program could not be started.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled before the program had ended.</exception>
    public async Task<ContainerResult> RunAsync(CancellationToken cancellationToken = default)
    {
        ContainerResult result = await Begin(cancellationToken).Ended.ConfigureAwait(false);
        if (result.Outcome == ContainerOutcome.Cancelled) cancellationToken.ThrowIfCancellationRequested();
        return result;
    }

    private ContainerLaunch Begin(CancellationToken cancellationToken)
    {
        SpecValidation.CheckProgram(Draft);
        if (_container.State is ContainerState.Ended or ContainerState.Paused)
            throw new ContainerStateException("A program cannot be started in it", _container.State);
        return ContainerLaunch.Begin(Draft, cancellationToken);
    }
}
