using System.Collections.Immutable;
using Isolation.Linux;

namespace Isolation;

/// <summary>The options of a mount, sorted out (config.md, "Linux mount options").</summary>
internal sealed record OciMountOptions
{
    /// <summary>MOUNT_ATTR_* to set, and to clear, of the mount itself.</summary>
    internal uint Set { get; private init; }

    internal uint Clear { get; private init; }

    /// <summary>Likewise of it and all that is beneath (mount_setattr(2), AT_RECURSIVE).</summary>
    internal uint RecursiveSet { get; private init; }

    internal uint RecursiveClear { get; private init; }

    /// <summary>MS_SHARED and the like; 0 for what the tree around it has.</summary>
    internal ulong Propagation { get; private init; }

    internal bool PropagationIsRecursive { get; private init; }

    internal bool IsBind { get; private init; }

    internal bool IsRecursive { get; private init; }

    /// <summary>What is on the image at the target comes into the new tmpfs.</summary>
    internal bool CopiesUp { get; private init; }

    /// <summary>It is seen through an identity map (<c>idmap</c>, <c>ridmap</c>), and so is what is beneath.</summary>
    internal bool Maps { get; private init; }

    internal bool MapsTree { get; private init; }

    /// <summary>What the file system itself is told: pairs, a flag without a value.</summary>
    internal ImmutableArray<(string Key, string Value)> Data { get; private init; } = [];

    // Flags of the superblock, which the kernel takes as options of any file system (fs_context.c).
    private static readonly HashSet<string> SuperblockFlags = ["dirsync", "lazytime", "mand", "sync"];

    private static readonly Dictionary<string, (uint Set, uint Clear)> Attributes = new(StringComparer.Ordinal)
    {
        ["ro"] = (Abi.MOUNT_ATTR_RDONLY, 0), ["rw"] = (0, Abi.MOUNT_ATTR_RDONLY),
        ["nosuid"] = (Abi.MOUNT_ATTR_NOSUID, 0), ["suid"] = (0, Abi.MOUNT_ATTR_NOSUID),
        ["nodev"] = (Abi.MOUNT_ATTR_NODEV, 0), ["dev"] = (0, Abi.MOUNT_ATTR_NODEV),
        ["noexec"] = (Abi.MOUNT_ATTR_NOEXEC, 0), ["exec"] = (0, Abi.MOUNT_ATTR_NOEXEC),
        ["nodiratime"] = (Abi.MOUNT_ATTR_NODIRATIME, 0), ["diratime"] = (0, Abi.MOUNT_ATTR_NODIRATIME),
        ["nosymfollow"] = (Abi.MOUNT_ATTR_NOSYMFOLLOW, 0), ["symfollow"] = (0, Abi.MOUNT_ATTR_NOSYMFOLLOW),
        ["noatime"] = (Abi.MOUNT_ATTR_NOATIME, Abi.MOUNT_ATTR__ATIME), ["atime"] = (0, Abi.MOUNT_ATTR__ATIME),
        ["relatime"] = (0, Abi.MOUNT_ATTR__ATIME), ["norelatime"] = (0, Abi.MOUNT_ATTR__ATIME),
        ["strictatime"] = (Abi.MOUNT_ATTR_STRICTATIME, Abi.MOUNT_ATTR__ATIME), ["nostrictatime"] = (0, Abi.MOUNT_ATTR__ATIME),
    };

    private static readonly Dictionary<string, ulong> Propagations = new(StringComparer.Ordinal)
    {
        ["private"] = Abi.MS_PRIVATE, ["slave"] = Abi.MS_SLAVE, ["shared"] = Abi.MS_SHARED, ["unbindable"] = Abi.MS_UNBINDABLE,
    };

    /// <summary>All that have a meaning of their own, as <c>features</c> tells them.</summary>
    internal static IEnumerable<string> Known =>
        [.. Attributes.Keys, .. Attributes.Keys.Select(name => "r" + name), .. Propagations.Keys, .. Propagations.Keys.Select(name => "r" + name), .. SuperblockFlags, "async", "nomand", "nolazytime", "silent", "loud", "defaults", "bind", "rbind", "tmpcopyup", "remount", "idmap", "ridmap"];

    /// <exception cref="FormatException">An option that cannot be had, with its name.</exception>
    internal static OciMountOptions Parse(IEnumerable<string> options)
    {
        OciMountOptions parsed = new();
        foreach (string option in options) parsed = parsed.With(option);
        return parsed;
    }

    internal OciMountOptions AsBind() => this with { IsBind = true };

    private OciMountOptions With(string option)
    {
        if (Attributes.TryGetValue(option, out (uint Set, uint Clear) one)) return this with { Set = (Set & ~one.Clear) | one.Set, Clear = (Clear & ~one.Set) | one.Clear };
        if (option is ['r', .. { } rest] && Attributes.TryGetValue(rest, out one)) return this with { RecursiveSet = (RecursiveSet & ~one.Clear) | one.Set, RecursiveClear = (RecursiveClear & ~one.Set) | one.Clear };
        if (Propagations.TryGetValue(option, out ulong propagation)) return this with { Propagation = propagation, PropagationIsRecursive = false };
        if (option is ['r', .. { } name] && Propagations.TryGetValue(name, out propagation)) return this with { Propagation = propagation, PropagationIsRecursive = true };
        if (SuperblockFlags.Contains(option)) return this with { Data = Data.Add((option, "")) };
        switch (option)
        {
            case "bind": return this with { IsBind = true };
            case "rbind": return this with { IsBind = true, IsRecursive = true };
            case "tmpcopyup": return this with { CopiesUp = true };
            case "defaults" or "async" or "nomand" or "nolazytime" or "silent" or "loud" or "remount" or "": return this;
            case "idmap": return this with { Maps = true, MapsTree = false };
            case "ridmap": return this with { Maps = true, MapsTree = true };
        }

        int equals = option.IndexOf('=', StringComparison.Ordinal);
        return this with { Data = Data.Add(equals < 0 ? (option, "") : (option[..equals], option[(equals + 1)..])) };
    }
}
