namespace Isolation;

public abstract partial class ProgramBuilder<TSelf>
{
    /// <summary>What the program reads; nothing by default.</summary>
    public TSelf WithInput(InputSource source)
    {
        ArgumentNullException.ThrowIfNull(source);
        return Set(Draft with { Input = source });
    }

    /// <summary>Where the program's standard output goes; kept for the result by default.</summary>
    public TSelf WithOutput(OutputTarget target)
    {
        ArgumentNullException.ThrowIfNull(target);
        if (target is MergedTarget) throw new ArgumentException("Standard output cannot go where it goes itself: SameAsOutput is for standard error.", nameof(target));
        return Set(Draft with { Output = target });
    }

    /// <summary>Where the program's standard error goes; kept for the result by default.</summary>
    public TSelf WithError(OutputTarget target)
    {
        ArgumentNullException.ThrowIfNull(target);
        return Set(Draft with { Error = target });
    }
}
