namespace Isolation.Cgroups;

/// <summary><c>some avg10=0.22 avg60=0.17 avg300=1.11 total=58761459</c>, and the same of <c>full</c> (psi_show, kernel/sched/psi.c).</summary>
internal static class PressureText
{
    private const long WholePercent = 100;

    internal static void Parse(string file, ReadOnlySpan<byte> bytes, ref CgroupPressure pressure)
    {
        KernelText text = new(file, bytes);
        while (text.NextPair(out ReadOnlySpan<byte> kind, out ReadOnlySpan<byte> rest))
        {
            if (kind.SequenceEqual("some"u8)) pressure.SomeTime = Time(text, rest);
            else if (kind.SequenceEqual("full"u8)) pressure.FullTime = Time(text, rest);
        }
    }

    private static CgroupStallTime Time(in KernelText text, ReadOnlySpan<byte> rest)
    {
        CgroupStallTime time = default;
        int averages = 0;
        while (KernelText.NextWord(ref rest) is { IsEmpty: false } word)
        {
            if (!KernelText.TrySplit(word, out ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value)) throw text.Malformed("a \"name=value\"");
            if (key.SequenceEqual("total"u8)) time.TotalFigure = text.Microseconds(value);
            else if (key.SequenceEqual("avg10"u8)) time.Hundredths10 = Average(text, value, ref averages);
            else if (key.SequenceEqual("avg60"u8)) time.Hundredths60 = Average(text, value, ref averages);
            else if (key.SequenceEqual("avg300"u8)) time.Hundredths300 = Average(text, value, ref averages);
        }

        return averages == 3 && time.IsKnown ? time : throw text.Malformed("three averages and a total");
    }

    private static ushort Average(in KernelText text, ReadOnlySpan<byte> value, ref int averages)
    {
        averages++;
        // LOAD_INT "." LOAD_FRAC, the latter always two digits
        int point = value.IndexOf((byte)'.');
        if (point < 0 || value.Length != point + 3) throw text.Malformed("a percentage with two digits after the point");
        long whole = text.Number(value[..point]), hundredths = text.Number(value[(point + 1)..]);
        return whole <= WholePercent ? (ushort)(whole * 100 + hundredths) : throw text.Malformed("a percentage");
    }
}
