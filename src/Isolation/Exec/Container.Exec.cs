namespace Isolation;

public sealed partial class Container
{
    /// <summary>A builder for a further program in this container.</summary>
    public ExecBuilder NewProcess() => new(this);

    /// <summary>Runs a further program in this container and waits for its end.</summary>
    /// <param name="command">The program and its arguments.</param>
    /// <param name="cancellationToken">Kills the program.</param>
    /// <exception cref="ContainerStateException">The container has ended or is paused.</exception>
    /// <exception cref="ContainerException">The program could not be started.</exception>
    public Task<ContainerResult> ExecAsync(IReadOnlyList<string> command, CancellationToken cancellationToken = default) =>
        NewProcess().WithCommand(command).RunAsync(cancellationToken);

    /// <summary>Runs a further program in this container and waits for its end.</summary>
    /// <exception cref="ContainerStateException">The container has ended or is paused.</exception>
    /// <exception cref="ContainerException">The program could not be started.</exception>
    public Task<ContainerResult> ExecAsync(params string[] command) => ExecAsync((IReadOnlyList<string>)command);
}
