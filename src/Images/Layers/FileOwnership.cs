using System.Globalization;
using System.Text;
using Isolation.Linux;

namespace Isolation.Images;

/// <summary>
/// How what an unprivileged user cannot give a file is kept beside it, for the day that the tree becomes an image again: the
/// owner in <c>user.rootlesscontainers</c>, in the form of rootlesscontaine.rs (protobuf; uid is field 1, gid field 2), as
/// umoci(1) does; kind, mode and device number, where they differ from the file's own, in <c>user.isolation.stat</c> as
/// <c>MODE[:MAJOR:MINOR]</c>, the mode octal and with the kind. Links and devices can have none: their owner is lost.
/// </summary>
internal static class FileOwnership
{
    private static ReadOnlySpan<byte> OwnerName => "user.rootlesscontainers\0"u8;

    private static ReadOnlySpan<byte> StatName => "user.isolation.stat\0"u8;

    /// <summary>Whether an attribute is one of these two, and none that an image has.</summary>
    internal static bool IsOwn(ReadOnlySpan<byte> attribute) => attribute.SequenceEqual(OwnerName[..^1]) || attribute.SequenceEqual(StatName[..^1]);

    /// <returns>0 or -errno.</returns>
    internal static nint Record(FileDescriptor file, uint user, uint group)
    {
        if (user == 0 && group == 0) return 0;
        Span<byte> value = stackalloc byte[12];
        int length = Write(value, 0, 0x08, user);
        length = Write(value, length, 0x10, group);
        return FileEntries.SetAttribute(file, OwnerName, value[..length]);
    }

    /// <returns>0 or -errno.</returns>
    internal static nint RecordStat(FileDescriptor file, uint mode, (uint Major, uint Minor)? device = null)
    {
        string text = Convert.ToString(mode, 8).PadLeft(7, '0');
        if (device is { } number) text = string.Create(CultureInfo.InvariantCulture, $"{text}:{number.Major}:{number.Minor}");
        return FileEntries.SetAttribute(file, StatName, Encoding.ASCII.GetBytes(text));
    }

    /// <summary>The recorded owner; root where there is no record, for whoever unpacked the tree recorded all but root.</summary>
    internal static (uint User, uint Group) Owner(FileDescriptor file)
    {
        Span<byte> value = stackalloc byte[64];
        nint length = FileEntries.GetAttribute(file, OwnerName, value);
        return length <= 0 ? (0, 0) : Read(value[..(int)length]);
    }

    /// <summary>The recorded mode with the kind, and device number; null where there is no record, or none that can be read.</summary>
    internal static (uint Mode, (uint Major, uint Minor) Device)? Stat(FileDescriptor file)
    {
        Span<byte> value = stackalloc byte[64];
        nint length = FileEntries.GetAttribute(file, StatName, value);
        if (length <= 0) return null;
        string[] parts = Encoding.ASCII.GetString(value[..(int)length]).Split(':');
        uint mode = 0;
        foreach (char digit in parts[0])
        {
            if (digit is < '0' or > '7' || mode > 0xffff) return null;
            mode = mode << 3 | (uint)(digit - '0');
        }

        if (parts.Length == 1) return (mode, (0, 0));
        return parts.Length == 3 && uint.TryParse(parts[1], CultureInfo.InvariantCulture, out uint major) && uint.TryParse(parts[2], CultureInfo.InvariantCulture, out uint minor) ? (mode, (major, minor)) : null;
    }

    private static int Write(Span<byte> value, int at, byte key, uint number)
    {
        if (number == 0) return at; // a field that is 0 is left out
        value[at++] = key;
        for (; number >= 0x80; number >>= 7) value[at++] = (byte)(number | 0x80);
        value[at++] = (byte)number;
        return at;
    }

    private static (uint User, uint Group) Read(ReadOnlySpan<byte> value)
    {
        (uint user, uint group) = (0, 0);
        for (int at = 0; at < value.Length;)
        {
            byte key = value[at++];
            ulong number = 0;
            for (int shift = 0; at < value.Length && shift < 64; shift += 7)
            {
                byte part = value[at++];
                number |= (ulong)(part & 0x7f) << shift;
                if (part < 0x80) break;
            }

            if (key == 0x08) user = (uint)number;
            if (key == 0x10) group = (uint)number;
        }

        return (user, group);
    }
}
