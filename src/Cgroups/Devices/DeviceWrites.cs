namespace Isolation.Cgroups;

/// <summary>One line for one file of the v1 controller <c>devices</c>; each is a write(2) of its own.</summary>
/// <param name="File"><c>devices.allow</c> or <c>devices.deny</c>.</param>
/// <param name="Text">The line.</param>
internal readonly record struct DeviceWrite(string File, string Text);

/// <summary>Rules about devices in the words of v1 (Documentation/admin-guide/cgroup-v1/devices.rst).</summary>
internal static class DeviceWrites
{
    private const string Allow = "devices.allow";
    private const string Deny = "devices.deny";

    /// <summary>
    /// For a new group, whatever it has inherited. The first write takes everything away, so that a failure later leaves
    /// too little and never too much.
    /// </summary>
    /// <remarks>
    /// The kernel answers EINVAL to a line about everything where the group has groups beneath it, and EPERM to a line that
    /// allows what the parent group does not.
    /// </remarks>
    /// <exception cref="CgroupException">The list needs the order of rules, which v1 does not keep (NotSupported).</exception>
    internal static List<DeviceWrite> For(IReadOnlyList<DeviceRule> rules)
    {
        var wanted = DeviceExceptions.Of(rules);
        List<DeviceWrite> writes = [new(Deny, "a")];
        if (wanted.AllowedOtherwise) writes.Add(new(Allow, "a"));
        foreach (var (devices, access) in wanted.Exceptions) writes.Add(new(wanted.AllowedOtherwise ? Deny : Allow, devices.Entry(access)));
        return writes;
    }

    /// <summary>
    /// From rules that this library wrote to others. Where both deny what they do not name, or both allow it, no process
    /// loses for a moment a device that it had before and has afterwards.
    /// </summary>
    /// <exception cref="CgroupException">A list needs the order of rules, which v1 does not keep (NotSupported).</exception>
    internal static List<DeviceWrite> Between(IReadOnlyList<DeviceRule> before, IReadOnlyList<DeviceRule> after)
    {
        DeviceExceptions old = DeviceExceptions.Of(before), wanted = DeviceExceptions.Of(after);
        if (old.AllowedOtherwise != wanted.AllowedOtherwise) return For(after);
        // With "allow everything else" an exception denies, and the file that adds one is the other.
        (string add, string remove) = wanted.AllowedOtherwise ? (Deny, Allow) : (Allow, Deny);
        List<DeviceWrite> writes = [];
        foreach (var (devices, access) in wanted.Exceptions)
        {
            DeviceAccess gained = access & ~old.Exceptions.GetValueOrDefault(devices);
            if (gained != DeviceAccess.None) writes.Add(new(add, devices.Entry(gained)));
        }
        foreach (var (devices, access) in old.Exceptions)
        {
            DeviceAccess lost = access & ~wanted.Exceptions.GetValueOrDefault(devices);
            if (lost != DeviceAccess.None) writes.Add(new(remove, devices.Entry(lost)));
        }
        return writes;
    }

    /// <summary>What takes back those that were written of a list that was not taken to its end.</summary>
    /// <param name="written">In their order.</param>
    /// <param name="before">The rules that were in force; null where that is not known: then too little is allowed, and stays so.</param>
    internal static IEnumerable<DeviceWrite> Back(List<DeviceWrite> written, IReadOnlyList<DeviceRule>? before)
    {
        if (before is null || written.Count == 0) return [];
        if (written[0].Text == "a") return For(before);
        return Enumerable.Reverse(written).Select(write => new DeviceWrite(write.File == Allow ? Deny : Allow, write.Text));
    }
}
