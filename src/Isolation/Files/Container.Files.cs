namespace Isolation;

public sealed partial class Container
{
    /// <summary>Its files, from outside.</summary>
    /// <exception cref="InvalidOperationException">It is run by another runtime (<see cref="ContainerBuilder.WithRuntime"/>), which alone knows them.</exception>
    public ContainerFiles Files => Launch.Spec.RuntimeUse is null ? field ??= new(this) : throw new InvalidOperationException($"The files of a container under {Launch.Spec.RuntimeUse.Runtime} are that runtime's: reach them by programs in it (ExecAsync), or bind a directory with WithBind.");
}
