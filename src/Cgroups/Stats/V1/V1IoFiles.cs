namespace Isolation.Cgroups;

/// <summary>
/// The files of <c>blkio</c>: lines of <c>8:0 Read 4096</c>, and a last one with the sum of all (block/blk-cgroup-rwstat.c).
/// </summary>
/// <remarks>
/// <c>blkio.throttle</c> counts what is submitted, but from Linux 6.10 on only for devices that some group has a limit
/// on; <c>blkio.bfq</c> counts what the BFQ scheduler serves, and until Linux 5.0 the files without a name of their own
/// what CFQ did. A device may be in either or both, and the greater number is right.
/// </remarks>
internal static class V1IoFiles
{
    internal static StatsFile[] All { get; } =
    [
        new("blkio.throttle.io_service_bytes_recursive", Bytes) { Otherwise = new("blkio.throttle.io_service_bytes", Bytes) },
        new("blkio.throttle.io_serviced_recursive", Operations) { Otherwise = new("blkio.throttle.io_serviced", Operations) },
        new("blkio.bfq.io_service_bytes_recursive", Bytes) { Otherwise = new("blkio.io_service_bytes_recursive", Bytes) },
        new("blkio.bfq.io_serviced_recursive", Operations) { Otherwise = new("blkio.io_serviced_recursive", Operations) },
    ];

    private static void Bytes(string file, ReadOnlySpan<byte> bytes, StatsDraft draft)
    {
        draft.Io.Exists();
        draft.Io.Rewind();
        KernelText text = new(file, bytes);
        while (Next(ref text, out (uint, uint) device, out ReadOnlySpan<byte> operation, out ReadOnlySpan<byte> value))
        {
            ref CgroupDeviceIo entry = ref draft.Io[device];
            if (operation.SequenceEqual("Read"u8)) Raise(ref entry.ReadBytesFigure, text.Count(value));
            else if (operation.SequenceEqual("Write"u8)) Raise(ref entry.WrittenBytesFigure, text.Count(value));
            else if (operation.SequenceEqual("Discard"u8)) Raise(ref entry.DiscardedBytesFigure, text.Count(value));
        }
    }

    private static void Operations(string file, ReadOnlySpan<byte> bytes, StatsDraft draft)
    {
        draft.Io.Exists();
        draft.Io.Rewind();
        KernelText text = new(file, bytes);
        while (Next(ref text, out (uint, uint) device, out ReadOnlySpan<byte> operation, out ReadOnlySpan<byte> value))
        {
            ref CgroupDeviceIo entry = ref draft.Io[device];
            if (operation.SequenceEqual("Read"u8)) Raise(ref entry.ReadsFigure, text.Count(value));
            else if (operation.SequenceEqual("Write"u8)) Raise(ref entry.WritesFigure, text.Count(value));
            else if (operation.SequenceEqual("Discard"u8)) Raise(ref entry.DiscardsFigure, text.Count(value));
        }
    }

    private static bool Next(ref KernelText text, out (uint Major, uint Minor) device, out ReadOnlySpan<byte> operation, out ReadOnlySpan<byte> value)
    {
        device = default;
        operation = value = default;
        while (text.NextPair(out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> rest))
        {
            if (name.SequenceEqual("Total"u8)) continue;
            if (!DeviceWord.TryParse(name, out device.Major, out device.Minor)) throw text.Malformed("a device number");
            operation = KernelText.NextWord(ref rest);
            value = rest;
            return true;
        }

        return false;
    }

    private static void Raise(ref Figure figure, Figure value) => figure = Figure.Max(figure, value);
}
