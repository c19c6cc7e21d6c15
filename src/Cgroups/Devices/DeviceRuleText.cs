using System.Globalization;

namespace Isolation.Cgroups;

/// <summary>Reads one line of <c>devices.list</c>, or of what <c>devices.allow</c> takes.</summary>
internal static class DeviceRuleText
{
    internal static bool TryRead(string? text, out DeviceType type, out int? major, out int? minor, out DeviceAccess access)
    {
        (type, major, minor, access) = (DeviceType.All, null, null, DeviceAccess.All);
        if (text == "a") return true;
        string[] words = text?.Split(' ') ?? [];
        if (words.Length != 3 || !TryReadType(words[0], out type) || !TryReadAccess(words[2], out access)) return false;
        string[] numbers = words[1].Split(':');
        return numbers.Length == 2 && TryReadNumber(numbers[0], DeviceRule.MaxMajor, out major) && TryReadNumber(numbers[1], DeviceRule.MaxMinor, out minor);
    }

    internal static bool TryReadType(string text, out DeviceType type)
    {
        type = text switch { "c" => DeviceType.Char, "b" => DeviceType.Block, _ => DeviceType.All };
        return text is "a" or "b" or "c";
    }

    /// <summary>Letters in any order, each at most once.</summary>
    internal static bool TryReadAccess(string text, out DeviceAccess access)
    {
        access = DeviceAccess.None;
        foreach (char letter in text)
        {
            DeviceAccess one = letter switch { 'r' => DeviceAccess.Read, 'w' => DeviceAccess.Write, 'm' => DeviceAccess.Mknod, _ => DeviceAccess.None };
            if (one == DeviceAccess.None || access.HasFlag(one)) return false;
            access |= one;
        }
        return access != DeviceAccess.None;
    }

    private static bool TryReadNumber(string text, int most, out int? number)
    {
        number = null;
        if (text == "*") return true;
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) || value > most) return false;
        number = value;
        return true;
    }
}
