namespace Isolation.Launch;

/// <summary>A place in the image's memory that a step writes: the result of a call, or a buffer the kernel fills.</summary>
internal sealed class Slot(string name, int size = 8)
{
    internal string Name { get; } = name;

    /// <summary>In bytes, a multiple of eight.</summary>
    internal int Size { get; } = (size + 7) & ~7;

    /// <summary>What it holds before any step has run; zeros where it is shorter.</summary>
    internal byte[] Initial { get; init; } = [];

    /// <summary>Words of it that hold the addresses of other slots.</summary>
    internal IReadOnlyList<(int Offset, Slot Target)> Pointers { get; init; } = [];

    /// <summary>No step writes to it: it stands apart from the others, whose pages are copied for each child.</summary>
    internal bool IsUnwritten { get; init; }

    public override string ToString() => $"<{Name}>";
}
