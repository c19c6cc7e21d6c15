using System.Collections.Immutable;

namespace Isolation.Cgroups;

/// <summary>A group in one hierarchy.</summary>
/// <param name="Parent">What it is beneath.</param>
/// <param name="Group">Its directory.</param>
/// <param name="Controllers">That are used there.</param>
internal sealed record GroupPart(GroupDirectory Parent, GroupDirectory Group, ImmutableArray<CgroupController> Controllers) : IDisposable
{
    private bool _disposed;

    internal bool IsDisposed => Volatile.Read(ref _disposed);

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, true)) return;
        Group.Dispose();
        Parent.Dispose();
    }
}

/// <summary>Controllers that are mounted together share a hierarchy, and one group in it.</summary>
internal sealed class HierarchyComparer : IEqualityComparer<CgroupPlace>
{
    internal static HierarchyComparer Instance { get; } = new();

    public bool Equals(CgroupPlace? x, CgroupPlace? y) => x?.Mount.MountPoint == y?.Mount.MountPoint;

    public int GetHashCode(CgroupPlace place) => place.Mount.MountPoint.GetHashCode(StringComparison.Ordinal);
}
