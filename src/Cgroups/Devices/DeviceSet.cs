namespace Isolation.Cgroups;

/// <summary>Devices of one kind by their numbers; null stands for every number.</summary>
/// <param name="Type">Char or Block.</param>
/// <param name="Major">The major number.</param>
/// <param name="Minor">The minor number.</param>
internal readonly record struct DeviceSet(DeviceType Type, int? Major, int? Minor)
{
    internal bool Contains(DeviceSet other) =>
        Type == other.Type && (Major is null || Major == other.Major) && (Minor is null || Minor == other.Minor);

    internal bool Overlaps(DeviceSet other) => Intersection(other) is not null;

    internal DeviceSet? Intersection(DeviceSet other)
    {
        bool apart = Type != other.Type
            || (Major is not null && other.Major is not null && Major != other.Major)
            || (Minor is not null && other.Minor is not null && Minor != other.Minor);
        return apart ? null : new DeviceSet(Type, Major ?? other.Major, Minor ?? other.Minor);
    }

    /// <summary>In the kernel's words.</summary>
    internal string Entry(DeviceAccess access) => DeviceRule.Allow(Type, Major, Minor, access).Entry;
}
