namespace Isolation.UnionFs;

/// <summary>Names as the kernel has them, by their bytes.</summary>
internal sealed class NameComparer : IEqualityComparer<byte[]>, IComparer<byte[]>
{
    internal static NameComparer Instance { get; } = new();

    public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

    public int GetHashCode(byte[] obj)
    {
        HashCode hash = default;
        hash.AddBytes(obj);
        return hash.ToHashCode();
    }

    public int Compare(byte[]? x, byte[]? y) => x.AsSpan().SequenceCompareTo(y);
}
