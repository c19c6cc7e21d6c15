namespace Isolation.Launch;

/// <summary>A place among the steps of a plan that a step can go to.</summary>
internal sealed class Label(string name)
{
    internal string Name { get; } = name;

    /// <summary>The index of the step it stands before; -1 while it is not placed.</summary>
    internal int Index { get; set; } = -1;

    public override string ToString() => Name;
}
