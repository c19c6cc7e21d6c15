namespace Isolation;

/// <summary>A call was made that a container's state does not allow; the message says which state it met.</summary>
public sealed class ContainerStateException : InvalidOperationException
{
    internal ContainerStateException(string what, ContainerState state)
        : base($"{what}: the container is {state.ToString().ToLowerInvariant()}.") => State = state;

    /// <summary>The state that was met.</summary>
    public ContainerState State { get; }
}
