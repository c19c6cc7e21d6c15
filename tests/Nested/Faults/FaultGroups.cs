using Isolation.Cgroups;

namespace Isolation.Nested;

/// <summary>Where containers with limits have their groups while things fail: beneath a group of a state directory's own.</summary>
internal static class FaultGroups
{
    internal static string ParentOf(string state) => "isolation-faults-" + Path.GetFullPath(state).Replace('/', '-').TrimStart('-');

    /// <summary>The parent, or null for who may make no groups.</summary>
    internal static string? For(string state) => Environment.IsPrivilegedProcess ? ParentOf(state) : null;

    /// <summary>The groups that are there now.</summary>
    internal static string[] Of(string state) => [.. Parents(state).SelectMany(Directory.GetDirectories)];

    /// <summary>Removes the parents, which nobody else does.</summary>
    internal static void RemoveParents(string state)
    {
        foreach (string parent in Parents(state)) Directory.Delete(parent);
    }

    private static string[] Parents(string state) => [.. ControllerName.All.Select(CgroupSystem.Current.PlaceOf).OfType<CgroupPlace>()
        .Select(place => Path.Join(place.OwnDirectory, ParentOf(state))).Distinct().Where(Directory.Exists)];
}
