using System.Collections.Immutable;

namespace Isolation;

/// <summary>
/// What a program may do with files and the network besides all else that confines it (landlock(7)): works without privileges and inside other containers, and
/// cannot be taken back. Immutable.
/// </summary>
public sealed record LandlockPolicy
{
    /// <summary>What may be done where, in the container. Of <see cref="Refused"/> all that no path allows is refused; a path allows what is beneath it too.</summary>
    public ImmutableArray<LandlockPath> Paths { get; init; } = [];

    /// <summary>What is refused where no path allows it; everything by default, and nothing for no say in files.</summary>
    public LandlockAccess Refused { get; init; } = LandlockAccess.All;

    /// <summary>The TCP ports that may be bound; null for no say in that. Linux 6.7.</summary>
    public ImmutableArray<ushort>? BindPorts { get; init; }

    /// <summary>The TCP ports that may be connected to; null for no say in that. Linux 6.7.</summary>
    public ImmutableArray<ushort>? ConnectPorts { get; init; }

    /// <summary>What is kept among the program and those that it starts. Linux 6.12.</summary>
    public LandlockScopes Scopes { get; init; }

    /// <summary>Whether what this kernel cannot refuse is left out, and said in <see cref="Container.Enforcement"/>. Else the container does not start on a kernel that lacks any of it.</summary>
    public bool BestEffort { get; init; }

    /// <summary>Reads and executes from some places, and writes to others.</summary>
    /// <param name="read">Absolute paths in the container.</param>
    /// <param name="write">Likewise; they can be read too.</param>
    public static LandlockPolicy Of(IEnumerable<string> read, IEnumerable<string> write)
    {
        ArgumentNullException.ThrowIfNull(read);
        ArgumentNullException.ThrowIfNull(write);
        return new() { Paths = [.. read.Select(path => new LandlockPath(path, LandlockAccess.Read)), .. write.Select(path => new LandlockPath(path, LandlockAccess.All))] };
    }

    /// <summary>What is wrong with it; null where nothing is.</summary>
    internal string? Problem()
    {
        if (Refused == 0 && BindPorts is null && ConnectPorts is null && Scopes == 0) return "it refuses nothing";
        if ((Refused & ~LandlockAccess.All) != 0 || (Scopes & ~LandlockScopes.All) != 0) return "it names rights that there are not";
        foreach (LandlockPath path in Paths)
        {
            if (string.IsNullOrEmpty(path.Path) || path.Path[0] != '/' || path.Path.Contains('\0')) return $"'{path.Path}' is no absolute path";
            if (path.Access == 0) return $"of '{path.Path}' it allows nothing, which is so without it";
            if ((path.Access & ~Refused) != 0) return $"of '{path.Path}' it allows {path.Access & ~Refused}, which it does not refuse elsewhere";
        }

        return null;
    }
}

/// <summary>What may be done with a file, or a directory and all beneath it.</summary>
/// <param name="Path">In the container, absolute; it must be there.</param>
/// <param name="Access">What.</param>
public sealed record LandlockPath(string Path, LandlockAccess Access);

/// <summary>What is done with files (landlock(7), "Filesystem actions").</summary>
[Flags]
public enum LandlockAccess
{
    /// <summary>Execute a file.</summary>
    Execute = 1 << 0,

    /// <summary>Write to a file.</summary>
    WriteFile = 1 << 1,

    /// <summary>Read a file.</summary>
    ReadFile = 1 << 2,

    /// <summary>List a directory.</summary>
    ReadDirectory = 1 << 3,

    /// <summary>Remove an empty directory, or rename one.</summary>
    RemoveDirectory = 1 << 4,

    /// <summary>Remove a file, or rename one.</summary>
    RemoveFile = 1 << 5,

    /// <summary>Make a character device.</summary>
    MakeCharacterDevice = 1 << 6,

    /// <summary>Make a directory.</summary>
    MakeDirectory = 1 << 7,

    /// <summary>Make a file.</summary>
    MakeFile = 1 << 8,

    /// <summary>Make a UNIX socket.</summary>
    MakeSocket = 1 << 9,

    /// <summary>Make a FIFO.</summary>
    MakeFifo = 1 << 10,

    /// <summary>Make a block device.</summary>
    MakeBlockDevice = 1 << 11,

    /// <summary>Make a symbolic link.</summary>
    MakeLink = 1 << 12,

    /// <summary>Link or rename a file into another directory. Linux 5.19; before, nothing is ever allowed to.</summary>
    Refer = 1 << 13,

    /// <summary>Shorten a file. Linux 6.2.</summary>
    Truncate = 1 << 14,

    /// <summary>Control a device by ioctl(2). Linux 6.10.</summary>
    ControlDevice = 1 << 15,

    /// <summary>Execute, read and list.</summary>
    Read = Execute | ReadFile | ReadDirectory,

    /// <summary>All of it.</summary>
    All = (1 << 16) - 1,
}

/// <summary>What is kept among a program and those that it starts (landlock(7), "Scope flags").</summary>
[Flags]
public enum LandlockScopes
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Connections to abstract UNIX sockets.</summary>
    AbstractSockets = 1,

    /// <summary>Signals.</summary>
    Signals = 2,

    /// <summary>Both.</summary>
    All = 3,
}
