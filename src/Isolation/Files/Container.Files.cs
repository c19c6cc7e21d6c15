namespace Isolation;

public sealed partial class Container
{
    /// <summary>Its files, from outside.</summary>
    public ContainerFiles Files => field ??= new(this);
}
