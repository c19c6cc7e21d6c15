using System.Globalization;

namespace Isolation.Linux;

/// <summary>
/// Where process ids and start times mean what they mean here: this boot of the machine, this pid namespace, and this
/// time namespace, whose offset the kernel adds to the start times that it shows (time_namespaces(7)).
/// </summary>
internal readonly record struct HostScope(string Boot, ulong PidNamespace, ulong TimeNamespace)
{
    /// <summary>None of it changes while a process runs.</summary>
    internal static HostScope Current { get; } = new(SmallFile.ReadText("/proc/sys/kernel/random/boot_id").Trim(), Namespace("pid"), Namespace("time"));

    internal bool SharesNamespaces(HostScope other) => PidNamespace == other.PidNamespace && TimeNamespace == other.TimeNamespace;

    // The link reads "pid:[4026531836]"; there is none where the kernel has no such namespaces.
    private static ulong Namespace(string kind)
    {
        string? target = new FileInfo("/proc/self/ns/" + kind).LinkTarget;
        int open = target?.IndexOf('[', StringComparison.Ordinal) ?? -1;
        return open >= 0 && ulong.TryParse(target.AsSpan(open + 1).TrimEnd(']'), NumberStyles.None, CultureInfo.InvariantCulture, out ulong inode) ? inode : 0;
    }
}
