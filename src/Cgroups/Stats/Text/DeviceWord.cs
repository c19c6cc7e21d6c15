namespace Isolation.Cgroups;

/// <summary>A block device as the files of <c>blkio</c> and <c>io</c> begin their lines: <c>8:16</c>.</summary>
internal static class DeviceWord
{
    internal static bool TryParse(ReadOnlySpan<byte> word, out uint major, out uint minor)
    {
        major = minor = 0;
        int colon = word.IndexOf((byte)':');
        if (colon < 0 || !KernelText.TryNumber(word[..colon], out long first) || !KernelText.TryNumber(word[(colon + 1)..], out long second)) return false;
        if (first > uint.MaxValue || second > uint.MaxValue) return false;
        (major, minor) = ((uint)first, (uint)second);
        return true;
    }
}
