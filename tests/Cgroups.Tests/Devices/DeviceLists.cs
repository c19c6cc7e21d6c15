using CsCheck;

namespace Isolation.Cgroups.Tests;

/// <summary>Lists of rules over a few devices, so that rules meet often.</summary>
internal static class DeviceLists
{
    private static readonly Gen<int?> Number = Gen.OneOf<int?>(null, null, 1, 2, 4095);

    private static readonly Gen<DeviceRule> Rule =
        from allows in Gen.Bool
        from type in Gen.OneOf(DeviceType.All, DeviceType.Char, DeviceType.Char, DeviceType.Block)
        from major in Number
        from minor in Number
        from access in Gen.Int[1, 7]
        select allows ? DeviceRule.Allow(type, major, minor, (DeviceAccess)access) : DeviceRule.Deny(type, major, minor, (DeviceAccess)access);

    internal static readonly Gen<DeviceRule[]> Any = Gen.Frequency((9, Rule), (1, Gen.Bool.Select(allows => allows ? DeviceRule.Allow("a") : DeviceRule.Deny("a")))).Array[0, 9];

    /// <summary>Every question that such lists can answer in more than one way.</summary>
    internal static IEnumerable<(DeviceType Type, int Major, int Minor, DeviceAccess Access)> Questions { get; } =
    [..
        from type in new[] { DeviceType.Char, DeviceType.Block }
        from major in new[] { 0, 1, 2, 4095 }
        from minor in new[] { 0, 1, 2, 4095 }
        from access in Enumerable.Range(0, 8)
        select (type, major, minor, (DeviceAccess)access),
    ];

    internal static string Text(IEnumerable<DeviceRule> rules) => string.Join("; ", rules);
}
