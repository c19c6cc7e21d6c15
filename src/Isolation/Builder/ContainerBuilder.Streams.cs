namespace Isolation;

public sealed partial class ContainerBuilder
{
    /// <summary>What the program reads; nothing by default.</summary>
    public ContainerBuilder WithInput(InputSource source)
    {
        ArgumentNullException.ThrowIfNull(source);
        return Set(_draft with { Input = source });
    }

    /// <summary>Where the program's standard output goes; kept for the result by default.</summary>
    public ContainerBuilder WithOutput(OutputTarget target)
    {
        ArgumentNullException.ThrowIfNull(target);
        if (target is MergedTarget) throw new ArgumentException("Standard output cannot go where it goes itself: SameAsOutput is for standard error.", nameof(target));
        return Set(_draft with { Output = target });
    }

    /// <summary>Where the program's standard error goes; kept for the result by default.</summary>
    public ContainerBuilder WithError(OutputTarget target)
    {
        ArgumentNullException.ThrowIfNull(target);
        return Set(_draft with { Error = target });
    }
}
