namespace Isolation.Cgroups;

/// <summary>The files of the <c>rdma</c> controller, the same on both versions (kernel/cgroup/rdma.c).</summary>
internal static class RdmaFiles
{
    internal static StatsFile[] All { get; } = [new("rdma.current", Current)];

    private static void Current(string file, ReadOnlySpan<byte> bytes, StatsDraft draft)
    {
        draft.Rdma.Exists();
        KernelText text = new(file, bytes);
        while (text.NextPair(out ReadOnlySpan<byte> device, out ReadOnlySpan<byte> rest))
        {
            if (device.IsEmpty) throw text.Malformed("a device");
            ref CgroupRdmaStats entry = ref draft.Rdma[device];
            while (KernelText.NextWord(ref rest) is { IsEmpty: false } word)
            {
                if (!KernelText.TrySplit(word, out ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value)) throw text.Malformed("a \"name=value\"");
                // A usage of 2147483647 is printed as "max" too.
                if (key.SequenceEqual("hca_handle"u8)) entry.HandlesFigure = Usage(text, value);
                else if (key.SequenceEqual("hca_object"u8)) entry.ObjectsFigure = Usage(text, value);
            }
        }
    }

    private static Figure Usage(in KernelText text, ReadOnlySpan<byte> value) => value.SequenceEqual("max"u8) ? new(int.MaxValue) : text.Count(value);
}
