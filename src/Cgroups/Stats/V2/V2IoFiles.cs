namespace Isolation.Cgroups;

/// <summary>The files of <c>io</c>: <c>8:16 rbytes=1459200 wbytes=314773504 rios=192 wios=353 dbytes=0 dios=0</c> (block/blk-cgroup.c).</summary>
internal static class V2IoFiles
{
    internal static StatsFile[] All { get; } =
    [
        new("io.stat", Stat),
        new("io.pressure", static (file, text, draft) => PressureText.Parse(file, text, ref draft.Pressure.IoPressure)),
    ];

    private static void Stat(string file, ReadOnlySpan<byte> bytes, StatsDraft draft)
    {
        draft.Io.Exists();
        KernelText text = new(file, bytes);
        while (text.NextPair(out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> rest))
        {
            if (!DeviceWord.TryParse(name, out uint major, out uint minor)) throw text.Malformed("a device number");
            while (KernelText.NextWord(ref rest) is { IsEmpty: false } word)
            {
                // Some kernels write the number of a device that has no figures without the end of the line behind it, so that
                // the next device stands on the same one.
                if (DeviceWord.TryParse(word, out uint nextMajor, out uint nextMinor)) (major, minor) = (nextMajor, nextMinor);
                else if (!KernelText.TrySplit(word, out ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value)) throw text.Malformed("a \"name=value\"");
                else Set(text, draft, (major, minor), key, value);
            }
        }
    }

    private static void Set(in KernelText text, StatsDraft draft, (uint, uint) device, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        ref CgroupDeviceIo entry = ref draft.Io[device];
        if (key.SequenceEqual("rbytes"u8)) entry.ReadBytesFigure = text.Count(value);
        else if (key.SequenceEqual("wbytes"u8)) entry.WrittenBytesFigure = text.Count(value);
        else if (key.SequenceEqual("dbytes"u8)) entry.DiscardedBytesFigure = text.Count(value);
        else if (key.SequenceEqual("rios"u8)) entry.ReadsFigure = text.Count(value);
        else if (key.SequenceEqual("wios"u8)) entry.WritesFigure = text.Count(value);
        else if (key.SequenceEqual("dios"u8)) entry.DiscardsFigure = text.Count(value);
    }
}
