using System.Collections.Immutable;
using CsCheck;
using Isolation.Launch;
using Isolation.Linux;

namespace Isolation.Tests;

/// <summary>Hosts of every kind: root and not, old kernels and new, both architectures, plain and crowded trees.</summary>
internal static class GenHost
{
    private static readonly Gen<CapabilitySet> Capabilities = Gen.OneOf(
        Gen.Const(CapabilitySet.All), Gen.Const(CapabilitySet.None), Gen.Const(CapabilitySet.All.Without(Capability.Mknod)), Gen.ULong.Select(bits => new CapabilitySet(bits)));

    private static readonly Gen<ImmutableArray<IdMapping>> Ids = Gen.OneOf<ImmutableArray<IdMapping>>(
        Gen.Const<ImmutableArray<IdMapping>>([new(0, 0, uint.MaxValue)]),
        Gen.Const<ImmutableArray<IdMapping>>([new(0, 1000, 1), new(1, 100000, 65536)]),
        Gen.Const<ImmutableArray<IdMapping>>([new(0, 1000, 1)]));

    private static readonly HostMount[] AllMounts =
    [
        new("/", "ext4", true), new("/boot", "vfat", true), new("/dev", "devtmpfs", true), new("/etc", "tmpfs", true), new("/home", "btrfs", true), new("/proc", "proc", true),
        new("/run", "tmpfs", true), new("/sys", "sysfs", true), new("/tmp", "tmpfs", true), new("/we:ird", "xfs", true), new("/dev/pts", "devpts", true), new("/host/directory/in", "nfs", true, 6), new("/srv/root/data", "ext4", true, 1),
        new("/etc/hosts", "ext4", false), new("/etc/resolv.conf", "ext4", false), new("/home/user", "fuse", true), new("/sys/fs/cgroup", "cgroup2", true), new("/usr/lib/wsl", "9p", true),
    ];

    private static readonly HostRootEntry[] AllEntries =
    [
        new("bin", HostEntryKind.SymbolicLink, "usr/bin", 0x1FF), new("boot", HostEntryKind.Directory, null, 0x1ED), new("dev", HostEntryKind.Directory, null, 0x1ED),
        new("etc", HostEntryKind.Directory, null, 0x1ED), new("etc/ssl", HostEntryKind.Directory, null, 0x1ED), new("home", HostEntryKind.Directory, null, 0x1ED), new("mnt", HostEntryKind.EmptyDirectory, null, 0x1ED),
        new("proc", HostEntryKind.Directory, null, 0x16D), new("run", HostEntryKind.Directory, null, 0x1ED), new("srv", HostEntryKind.Directory, null, 0x3FF), new("swapfile", HostEntryKind.File, null, 0x180),
        new("tmp", HostEntryKind.Directory, null, 0x3FF), new("usr", HostEntryKind.Directory, null, 0x1ED), new("usr/bin", HostEntryKind.Directory, null, 0x1ED), new("usr/lib", HostEntryKind.Directory, null, 0x1ED), new("we:ird", HostEntryKind.Directory, null, 0x1ED),
    ];

    private static readonly Gen<HostFacts> Kernel =
        from arm in Gen.Bool
        from openAt2 in Gen.Bool
        from setAttr in Gen.Bool
        from append in Gen.Bool
        from landlock in Gen.Int[0, 8]
        from closeRange in Gen.Bool
        from time in Gen.Bool
        from cgroup in Gen.Bool
        from queues in Gen.Bool
        from last in Gen.Int[37, 63]
        select new HostFacts
        {
            Abi = arm ? TargetAbi.Arm64 : TargetAbi.X64, HasOpenAt2 = openAt2, HasMountSetAttr = setAttr, HasLowerDirAppend = append, LandlockVersion = landlock, HasKillableListeners = openAt2, HasSelinux = cgroup, AppArmorFile = queues ? "/proc/self/attr/apparmor/exec" : null, HasCloseRangeCloexec = closeRange,
            HasTimeNamespaces = time, HasCgroupNamespaces = cgroup, HasMessageQueues = queues, LastCapability = last,
        };

    internal static readonly Gen<HostFacts> Any =
        from kernel in Kernel
        from root in Gen.Bool
        from capabilities in Capabilities
        from ids in Ids
        from signals in Subset([1, 2, 13, 15, 17, 64])
        from masked in Subset(HidingSteps.DefaultMasked)
        from readOnly in Subset(HidingSteps.DefaultReadOnly)
        from mounts in Subset(AllMounts)
        from entries in Subset(AllEntries)
        from directories in Gen.Bool
        from setGroups in Gen.Bool
        select kernel with
        {
            UserId = root ? 0u : 1000u, GroupId = root ? 0u : 1000u, Capabilities = capabilities, UserIds = ids, GroupIds = ids,
            SubordinateUsers = [new(0, 1000, 1), new(1, 100000, 65536)], SubordinateGroups = [new(0, 1000, 1), new(1, 100000, 65536)],
            IgnoredSignals = signals, ReadOnlyPaths = readOnly, MaskedPaths = masked.ToImmutableSortedDictionary(path => path, path => path.Contains('a') == directories, StringComparer.Ordinal),
            Mounts = mounts, RootEntries = entries, ResolvConf = "nameserver 192.0.2.1\n", AllowsSetGroups = setGroups,
        };

    internal static Gen<ImmutableArray<T>> Subset<T>(T[] all) => Gen.Int[0, (1 << all.Length) - 1].Select(bits => all.Where((_, i) => (bits >> i & 1) != 0).ToImmutableArray());
}
