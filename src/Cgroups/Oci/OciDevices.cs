namespace Isolation.Cgroups;

/// <summary>Between the specification's list <c>devices</c> and <see cref="DeviceRule"/>.</summary>
internal static class OciDevices
{
    /// <exception cref="FormatException">An entry is of another type than a, b and c, has other uses than r, w and m, or numbers that no device has.</exception>
    internal static List<DeviceRule> ToRules(IReadOnlyList<OciDeviceRule> entries) => [.. entries.Select(ToRule)];

    internal static List<OciDeviceRule> FromRules(IEnumerable<DeviceRule> rules) => [.. rules.Select(rule => new OciDeviceRule
    {
        Allow = rule.Allows,
        Type = rule.Type switch { DeviceType.Char => "c", DeviceType.Block => "b", _ => "a" },
        Major = rule.Major,
        Minor = rule.Minor,
        Access = DeviceRule.Letters(rule.Access),
    })];

    private static DeviceRule ToRule(OciDeviceRule entry, int index)
    {
        DeviceType type = DeviceType.All;
        if (!string.IsNullOrEmpty(entry.Type) && !DeviceRuleText.TryReadType(entry.Type, out type)) throw Bad("type", $"\"{entry.Type}\"", "a, b or c");
        // The specification has access optional and does not say what its absence is; runc refuses an entry about nothing.
        if (!DeviceRuleText.TryReadAccess(entry.Access ?? "", out DeviceAccess access)) throw Bad("access", $"\"{entry.Access}\"", "one or more of r, w and m");
        int? major = Number("major", entry.Major, DeviceRule.MaxMajor), minor = Number("minor", entry.Minor, DeviceRule.MaxMinor);
        return entry.Allow ? DeviceRule.Allow(type, major, minor, access) : DeviceRule.Deny(type, major, minor, access);

        int? Number(string field, long? number, int most) => number switch
        {
            null or -1 => null,
            >= 0 when number <= most => (int)number,
            _ => throw Bad(field, $"{number}", $"a number from 0 to {most}"),
        };

        FormatException Bad(string field, string got, string want) => new($"linux.resources.devices[{index}].{field}: got {got}, want {want}.");
    }
}
