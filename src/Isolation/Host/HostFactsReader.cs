using System.Collections.Immutable;
using System.Globalization;
using Isolation.Launch;
using Isolation.Linux;

namespace Isolation;

/// <summary>Reads the facts of this host and this process. What cannot change while the process runs is read once.</summary>
internal static class HostFactsReader
{
    private static readonly Lazy<HostFacts> Once = new(ReadOnce);

    /// <summary>Facts of the kernel and the process, without the mounts and entries of <c>/</c>.</summary>
    internal static HostFacts Current
    {
        get
        {
            HostFacts facts = Once.Value;

            // A program may drop privileges while it runs; the rest stays.
            (uint user, uint group) = ((uint)Syscall.Invoke(SystemCall.geteuid), (uint)Syscall.Invoke(SystemCall.getegid));
            return facts.UserId == user && facts.GroupId == group ? facts : ReadOnce();
        }
    }

    private static HostFacts ReadOnce()
    {
        Dictionary<string, string> status = ReadStatus();
        string fileSystems = SmallFile.ReadText("/proc/filesystems");
        ulong ignored = Hex(status.GetValueOrDefault("SigIgn"));
        return new HostFacts
        {
            Abi = TargetAbi.Current,
            UserId = (uint)Syscall.Invoke(SystemCall.geteuid),
            GroupId = (uint)Syscall.Invoke(SystemCall.getegid),
            Capabilities = new(Hex(status.GetValueOrDefault("CapEff"))),
            LastCapability = int.TryParse(SmallFile.ReadText("/proc/sys/kernel/cap_last_cap"), CultureInfo.InvariantCulture, out int last) ? last : 40,
            UserIds = ReadIds("/proc/self/uid_map"),
            GroupIds = ReadIds("/proc/self/gid_map"),
            AllowsSetGroups = !SmallFile.ReadText("/proc/self/setgroups").StartsWith("deny", StringComparison.Ordinal),
            HasOpenAt2 = KernelProbe.HasOpenAt2(),
            HasMountSetAttr = KernelProbe.HasMountSetAttr(),
            LandlockVersion = KernelProbe.LandlockVersion(),
            AppArmorFile = !SmallFile.ReadText("/sys/module/apparmor/parameters/enabled").StartsWith('Y') ? null : File.Exists("/proc/self/attr/apparmor/exec") ? "/proc/self/attr/apparmor/exec" : "/proc/self/attr/exec",
            Hierarchies = CgroupHierarchies.Parse(SmallFile.ReadText("/proc/self/mountinfo")),
            HasSelinux = fileSystems.Contains("\tselinuxfs\n", StringComparison.Ordinal),
            HasKillableListeners = SeccompCalls.HasKillableWait(),
            HasLowerDirAppend = Environment.OSVersion.Version >= new Version(6, 5),
            HasCloseRangeCloexec = KernelProbe.HasCloseRangeCloexec(),
            HasTimeNamespaces = File.Exists("/proc/self/ns/time"),
            HasCgroupNamespaces = File.Exists("/proc/self/ns/cgroup"),
            HasMessageQueues = fileSystems.Contains("\tmqueue\n", StringComparison.Ordinal),
            IgnoredSignals = [.. Enumerable.Range(1, 64).Where(signal => (ignored >> (signal - 1) & 1) != 0 || signal == Abi.SIGPIPE)],
            MaskedPaths = HidingSteps.DefaultMasked.Where(path => Path.Exists("/" + path))
                .ToImmutableSortedDictionary(path => path, path => Directory.Exists("/" + path), StringComparer.Ordinal),
            ReadOnlyPaths = [.. HidingSteps.DefaultReadOnly.Where(path => Path.Exists("/" + path))],
        };
    }

    /// <summary>The identity map of this process's own user namespace; everything where the kernel has none.</summary>
    private static ImmutableArray<IdMapping> ReadIds(string path)
    {
        ImmutableArray<IdMapping>.Builder ranges = ImmutableArray.CreateBuilder<IdMapping>();
        foreach (string line in SmallFile.ReadText(path).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            ranges.Add(new(Number(words[0]), Number(words[1]), Number(words[2])));
        }

        return ranges.Count == 0 ? [new(0, 0, uint.MaxValue)] : ranges.ToImmutable();
    }

    private static Dictionary<string, string> ReadStatus()
    {
        Dictionary<string, string> fields = new(StringComparer.Ordinal);
        foreach (string line in SmallFile.ReadText("/proc/self/status").Split('\n'))
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon > 0) fields[line[..colon]] = line[(colon + 1)..].Trim();
        }

        return fields;
    }

    private static uint Number(string text) => uint.Parse(text, CultureInfo.InvariantCulture);

    private static ulong Hex(string? text) =>
        ulong.TryParse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out ulong value) ? value : 0;
}
