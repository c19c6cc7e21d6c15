using System.Diagnostics.CodeAnalysis;

namespace Isolation.Cgroups;

/// <summary>
/// Allows or denies uses of devices, as one line of the kernel's <c>devices.allow</c> or <c>devices.deny</c> does
/// (Documentation/admin-guide/cgroup-v1/devices.rst). In a list each use is decided by the last rule about it, for
/// reading, writing and mknod by themselves; what no rule is about is denied.
/// </summary>
/// <remarks>Immutable, so safe from any thread; equal by value.</remarks>
public sealed record DeviceRule
{
    // The kernel's dev_t has 12 bits for the one and 20 for the other (include/linux/kdev_t.h). Larger numbers are no device,
    // and the largest of all, written to devices.allow, means every device there.
    internal const int MaxMajor = 0xfff;
    internal const int MaxMinor = 0xfffff;

    private DeviceRule(bool allows, DeviceType type, int? major, int? minor, DeviceAccess access)
    {
        if (type is < DeviceType.All or > DeviceType.Block) throw new ArgumentOutOfRangeException(nameof(type), type, "A device is of type All, Char or Block.");
        if (major is < 0 or > MaxMajor) throw new ArgumentOutOfRangeException(nameof(major), major, $"A major number is from 0 to {MaxMajor}, or null for all.");
        if (minor is < 0 or > MaxMinor) throw new ArgumentOutOfRangeException(nameof(minor), minor, $"A minor number is from 0 to {MaxMinor}, or null for all.");
        if (access == DeviceAccess.None || (access & ~DeviceAccess.All) != 0)
            throw new ArgumentOutOfRangeException(nameof(access), access, "A rule is about one or more of Read, Write and Mknod.");
        (Allows, Type, Major, Minor, Access) = (allows, type, major, minor, access);
    }

    /// <summary>Whether the uses are allowed or denied.</summary>
    public bool Allows { get; }

    /// <summary>The kind of device.</summary>
    public DeviceType Type { get; }

    /// <summary>The major number, which names the driver; null for every one.</summary>
    public int? Major { get; }

    /// <summary>The minor number, which names the device to its driver; null for every one.</summary>
    public int? Minor { get; }

    /// <summary>The uses that this rule decides.</summary>
    public DeviceAccess Access { get; }

    /// <summary>The rule in the kernel's words, <c>c 1:3 rwm</c>; whether it allows or denies is not in them.</summary>
    public string Entry => $"{Letter(Type)} {Number(Major)}:{Number(Minor)} {Letters(Access)}";

    /// <summary>Whether it is about every use of every device, so that the rules before it mean nothing.</summary>
    internal bool IsAboutEverything => Type == DeviceType.All && Major is null && Minor is null && Access == DeviceAccess.All;

    /// <summary>A rule that allows.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A number is beyond what the kernel has (4095 major, 1048575 minor), or there is nothing to allow.</exception>
    public static DeviceRule Allow(DeviceType type, int? major = null, int? minor = null, DeviceAccess access = DeviceAccess.All) =>
        new(true, type, major, minor, access);

    /// <summary>A rule that allows, from the kernel's words: <c>c 1:3 rwm</c>, <c>a *:* rwm</c>, or <c>a</c> for the same.</summary>
    /// <exception cref="FormatException">The text is none of these.</exception>
    public static DeviceRule Allow(string entry) => Parse(true, entry);

    /// <summary>A rule that denies.</summary>
    /// <inheritdoc cref="Allow(DeviceType, int?, int?, DeviceAccess)"/>
    public static DeviceRule Deny(DeviceType type, int? major = null, int? minor = null, DeviceAccess access = DeviceAccess.All) =>
        new(false, type, major, minor, access);

    /// <summary>A rule that denies, from the kernel's words: <c>c 1:3 rwm</c>, <c>a *:* rwm</c>, or <c>a</c> for the same.</summary>
    /// <inheritdoc cref="Allow(string)"/>
    public static DeviceRule Deny(string entry) => Parse(false, entry);

    /// <summary>As <see cref="Allow(string)"/> and <see cref="Deny(string)"/>, without an exception.</summary>
    /// <param name="allows">Whether the rule is to allow or to deny.</param>
    /// <param name="entry">The kernel's words, as in <see cref="Entry"/>.</param>
    /// <param name="rule">The rule, or null where the text is none.</param>
    public static bool TryParse(bool allows, string? entry, [NotNullWhen(true)] out DeviceRule? rule)
    {
        rule = DeviceRuleText.TryRead(entry, out DeviceType type, out int? major, out int? minor, out DeviceAccess access)
            ? new DeviceRule(allows, type, major, minor, access)
            : null;
        return rule is not null;
    }

    /// <summary>For messages: <c>allow c 1:3 rwm</c>.</summary>
    public override string ToString() => $"{(Allows ? "allow" : "deny")} {Entry}";

    internal static string Letters(DeviceAccess access) =>
        (access.HasFlag(DeviceAccess.Read) ? "r" : "") + (access.HasFlag(DeviceAccess.Write) ? "w" : "") + (access.HasFlag(DeviceAccess.Mknod) ? "m" : "");

    private static char Letter(DeviceType type) => type switch { DeviceType.Char => 'c', DeviceType.Block => 'b', _ => 'a' };

    private static string Number(int? number) => number is { } value ? value.ToString(System.Globalization.CultureInfo.InvariantCulture) : "*";

    private static DeviceRule Parse(bool allows, string entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        return TryParse(allows, entry, out DeviceRule? rule)
            ? rule
            : throw new FormatException($"\"{entry}\" is no rule about devices. Got this, want a type (a, b or c), the numbers and the uses, such as \"c 1:3 rwm\" or \"b 8:* r\".");
    }
}
