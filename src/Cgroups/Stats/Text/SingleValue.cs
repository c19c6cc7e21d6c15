namespace Isolation.Cgroups;

/// <summary>Files that hold one value and the end of its line.</summary>
internal static class SingleValue
{
    internal static Figure Count(string file, ReadOnlySpan<byte> bytes)
    {
        KernelText text = Only(file, bytes);
        return text.Count(text.Line);
    }

    internal static Figure Nanoseconds(string file, ReadOnlySpan<byte> bytes)
    {
        KernelText text = Only(file, bytes);
        return text.Nanoseconds(text.Line);
    }

    /// <summary>A number, or <c>max</c>.</summary>
    internal static Figure Limit(string file, ReadOnlySpan<byte> bytes)
    {
        KernelText text = Only(file, bytes);
        return text.Limit(text.Line);
    }

    private static KernelText Only(string file, ReadOnlySpan<byte> bytes)
    {
        KernelText text = new(file, bytes);
        if (!text.NextLine()) throw text.Malformed("a value");
        KernelText further = text;
        return further.NextLine() ? throw further.Malformed("nothing") : text;
    }
}
