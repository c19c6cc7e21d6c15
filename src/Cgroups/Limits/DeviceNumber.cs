using System.Globalization;

namespace Isolation.Cgroups;

/// <summary>Which block device: what <c>ls -l</c> shows in place of a size, and <c>lsblk</c> as MAJ:MIN.</summary>
/// <param name="Major">Of the driver.</param>
/// <param name="Minor">Of the device.</param>
public readonly record struct DeviceNumber(uint Major, uint Minor)
{
    /// <summary>Parses <c>8:0</c>.</summary>
    /// <exception cref="FormatException">It is not two numbers with a colon between.</exception>
    public static DeviceNumber Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string[] parts = text.Split(':');
        return parts.Length == 2
            && uint.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out uint major)
            && uint.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out uint minor)
            ? new(major, minor)
            : throw new FormatException($"A device is MAJOR:MINOR, such as 8:0, and not '{text}'.");
    }

    /// <summary>As the kernel writes it: <c>8:0</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Major}:{Minor}");
}
