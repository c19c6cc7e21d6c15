using System.Collections.Immutable;
using System.Diagnostics;
using Isolation.Linux;

namespace Isolation.Cgroups;

/// <summary>
/// Hierarchies of v1 that nobody has mounted, as this library writes their groups: <c>cgroup:net_cls,net_prio/group</c>. To open
/// one is to mount it at no path, so that nobody else sees it; the kernel keeps a hierarchy as long as it has groups, or
/// somebody has one of them open.
/// </summary>
internal static class PrivateHierarchy
{
    private const string Scheme = "cgroup:";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>As the distributions mount them, so that what is mounted here does not stand in their way.</summary>
    private static readonly string[][] Together = [["net_cls", "net_prio"], ["cpu", "cpuacct"]];

    internal static bool IsPath(string path) => path.StartsWith(Scheme, StringComparison.Ordinal) && Split(path).Controllers.All(name => ControllerName.Find(name) is not null);

    /// <summary>The hierarchy that a controller is in, or would be in.</summary>
    /// <param name="controller">By its name in v1.</param>
    /// <param name="own">The groups of this process, one in each hierarchy that the kernel has, mounted or not.</param>
    /// <param name="isFree">Whether the kernel has a controller, and in no hierarchy that is mounted.</param>
    internal static CgroupPlace PlaceOf(string controller, OwnGroups own, Func<string, bool> isFree)
    {
        if (own.Hierarchies.FirstOrDefault(hierarchy => hierarchy.Contains(controller)) is { IsDefault: false } there) return Place(there, own.V1[controller]);
        string[] custom = Together.FirstOrDefault(names => names.Contains(controller)) ?? [];
        bool free = custom.Length > 0 && custom.All(name => isFree(name) && !own.V1.ContainsKey(name));
        return Place(free ? [.. custom] : [controller], "/");
    }

    /// <exception cref="LinuxException">It cannot be mounted, or there is no such group.</exception>
    internal static FileDescriptor Open(string path)
    {
        (string[] controllers, string group) = Split(path);
        using FileDescriptor root = Mount(controllers);
        return DirectoryFiles.Open(root, group, Abi.O_RDONLY | TargetAbi.Current.O_DIRECTORY | TargetAbi.Current.O_NOFOLLOW);
    }

    /// <summary>Whether the kernel has such a hierarchy no more: to look for its groups would make it anew.</summary>
    internal static bool IsGone(string path)
    {
        string[] controllers = Split(path).Controllers;
        return !OwnGroups.Read().Hierarchies.Any(hierarchy => hierarchy.SequenceEqual(controllers));
    }

    /// <summary>While the kernel still takes down a hierarchy with one of the controllers, they are busy.</summary>
    private static FileDescriptor Mount(string[] controllers)
    {
        long start = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                return DetachedMount.Make("cgroup", controllers);
            }
            catch (LinuxException exception) when (exception.Errno == Errno.EBUSY && Stopwatch.GetElapsedTime(start) < Patience)
            {
                Thread.Sleep(10);
            }
        }
    }

    private static CgroupPlace Place(ImmutableArray<string> controllers, string ownPath) =>
        new(new(Scheme + string.Join(',', controllers), "/", CgroupVersion.V1, controllers, null, false), ownPath);

    private static (string[] Controllers, string Group) Split(string path)
    {
        string[] parts = path[Scheme.Length..].Split('/', 2);
        return (parts[0].Split(','), parts.Length > 1 ? parts[1] : ".");
    }
}
