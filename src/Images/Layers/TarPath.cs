using System.Text;

namespace Isolation.Images;

/// <summary>A name in an archive as the steps that lead to it, each ended by a NUL.</summary>
internal static class TarPath
{
    private const int LongestStep = 255; // NAME_MAX

    /// <summary>Empty for the top. A leading slash and <c>.</c> mean nothing.</summary>
    /// <exception cref="ImageException">It leads upwards, or too deep, or a step is too long.</exception>
    internal static List<byte[]> Parse(ReadOnlySpan<byte> name, int depth)
    {
        List<byte[]> steps = [];
        foreach (Range range in name.Split((byte)'/'))
        {
            ReadOnlySpan<byte> step = name[range];
            if (step.Length == 0 || step.SequenceEqual("."u8)) continue;
            if (step.SequenceEqual(".."u8)) throw new ImageException(ImageErrorReason.UnsafeEntry, $"The archive has the name '{Shown(name)}', which leads upwards");
            if (step.Length > LongestStep) throw new ImageException(ImageErrorReason.InvalidContent, $"The archive has a name with {step.Length} bytes, '{Shown(step)}', and {LongestStep} are possible");
            if (steps.Count > depth) throw new ImageException(ImageErrorReason.TooLarge, $"The archive has the name '{Shown(name)}', which is more than {depth} directories deep");
            steps.Add([.. step, 0]);
        }

        return steps;
    }

    /// <summary>For messages.</summary>
    internal static string Shown(ReadOnlySpan<byte> name) => name.Length > 200 ? Encoding.UTF8.GetString(name[..200]) + "..." : Encoding.UTF8.GetString(name);
}
