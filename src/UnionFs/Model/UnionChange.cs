using System.Text;

namespace Isolation.UnionFs;

/// <summary>What happened to a path.</summary>
public enum UnionChangeKind
{
    /// <summary>The branches below have nothing there.</summary>
    Added,

    /// <summary>Something else is there: another content, owner, mode, time or attribute, or another kind of file.</summary>
    Modified,

    /// <summary>It is gone, with all that was in it.</summary>
    Deleted,
}

/// <summary>Kinds of files.</summary>
public enum UnionEntryType
{
    /// <summary>A regular file.</summary>
    File,

    /// <summary>A directory.</summary>
    Directory,

    /// <summary>A symbolic link.</summary>
    SymbolicLink,

    /// <summary>A device of characters.</summary>
    CharacterDevice,

    /// <summary>A device of blocks.</summary>
    BlockDevice,

    /// <summary>A named pipe.</summary>
    Fifo,

    /// <summary>A socket.</summary>
    Socket,
}

/// <summary>One difference between what is in the read-only branches and what is in the union.</summary>
/// <param name="PathBytes">Relative to the root, with single slashes between names; as the kernel has it, which need not be UTF-8.</param>
/// <param name="Kind">What happened.</param>
/// <param name="Type">What is there now, or was there if it is gone.</param>
public sealed record UnionChange(ReadOnlyMemory<byte> PathBytes, UnionChangeKind Kind, UnionEntryType Type)
{
    /// <summary>The path for people: what is not UTF-8 is U+FFFD.</summary>
    public string Path => Encoding.UTF8.GetString(PathBytes.Span);

    /// <summary>As <c>docker diff</c> writes it: <c>A /etc/new</c>.</summary>
    public override string ToString() => $"{Kind.ToString()[0] switch { 'M' => 'C', char letter => letter }} /{Path}";
}
