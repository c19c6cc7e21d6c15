namespace Isolation.Cgroups;

/// <summary>
/// A list of rules as the kernel's v1 controller can hold it (security/device_cgroup.c): everything is allowed or denied,
/// except for a set of devices. Order means nothing in a set, so what the order of the rules said is worked out here.
/// </summary>
internal sealed class DeviceExceptions
{
    private const DeviceAccess Open = DeviceAccess.Read | DeviceAccess.Write;

    private readonly Dictionary<DeviceSet, DeviceAccess> _exceptions = [];

    private DeviceExceptions()
    {
    }

    /// <summary>What happens to a device that is no exception.</summary>
    internal bool AllowedOtherwise { get; private set; }

    /// <summary>In no order that means anything.</summary>
    internal IReadOnlyDictionary<DeviceSet, DeviceAccess> Exceptions => _exceptions;

    /// <exception cref="CgroupException">A rule makes a hole in an exception, which v1 cannot hold (NotSupported).</exception>
    internal static DeviceExceptions Of(IReadOnlyList<DeviceRule> rules)
    {
        var result = new DeviceExceptions();
        foreach (DeviceRule rule in rules)
        {
            if (rule.IsAboutEverything)
            {
                result.AllowedOtherwise = rule.Allows;
                result._exceptions.Clear();
                continue;
            }
            // The kernel reads "a", with whatever follows it, as all devices and all uses; so a narrower rule is told in two.
            foreach (DeviceType type in rule.Type == DeviceType.All ? [DeviceType.Char, DeviceType.Block] : new[] { rule.Type })
                result.Apply(rule, new DeviceSet(type, rule.Major, rule.Minor));
        }
        if (!result.AllowedOtherwise) result.AllowOpeningForBoth();
        return result;
    }

    private void Apply(DeviceRule rule, DeviceSet devices)
    {
        if (rule.Allows != AllowedOtherwise)
        {
            _exceptions[devices] = _exceptions.GetValueOrDefault(devices) | rule.Access;
            return;
        }
        foreach (var (exception, access) in _exceptions.ToArray())
        {
            if (!exception.Overlaps(devices) || (access & rule.Access) == 0) continue;
            // The kernel takes away only an exception that reads the same, and is silent about any other.
            if (!devices.Contains(exception)) throw Hole(rule, exception, access);
            DeviceAccess rest = access & ~rule.Access;
            if (rest == DeviceAccess.None) _exceptions.Remove(exception);
            else _exceptions[exception] = rest;
        }
    }

    /// <summary>
    /// A file opened to be read and written must be allowed both by one and the same exception; so where one set of
    /// devices may be read and another written, what is in both is named too.
    /// </summary>
    private void AllowOpeningForBoth()
    {
        DeviceSet[] named = [.. _exceptions.Keys];
        var sets = new HashSet<DeviceSet>(named);
        foreach (DeviceSet first in named)
            foreach (DeviceSet second in named)
                if (first.Intersection(second) is { } both) sets.Add(both);
        foreach (DeviceSet set in sets)
        {
            DeviceAccess together = DeviceAccess.None;
            bool byOne = false;
            foreach (var (exception, access) in _exceptions)
            {
                if (!exception.Contains(set)) continue;
                together |= access;
                byOne |= (access & Open) == Open;
            }
            if (!byOne && (together & Open) == Open) _exceptions[set] = _exceptions.GetValueOrDefault(set) | Open;
        }
    }

    private static CgroupException Hole(DeviceRule rule, DeviceSet exception, DeviceAccess access) => new(
        CgroupErrorReason.NotSupported,
        $"The rule \"{rule}\" takes a part out of \"{exception.Entry(access)}\", which an earlier rule {(rule.Allows ? "denies" : "allows")}: control groups v1 keep a set of whole exceptions, without holes",
        remedy: "name the devices singly in the earlier rule, or use control groups v2, where the order of rules is kept");
}
