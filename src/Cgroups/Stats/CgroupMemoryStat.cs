using System.Text;

namespace Isolation.Cgroups;

/// <summary>
/// All lines of <c>memory.stat</c>, by the names that this kernel gave them: on v1 those of the group itself
/// (<c>mapped_file</c>) and those that include the groups beneath (<c>total_mapped_file</c>), on v2 only the latter
/// (<c>file_mapped</c>). Sizes are in bytes, the others are counts; the kernel's documents say which is which.
/// </summary>
/// <remarks>Nothing is read from the text before it is asked for. Immutable, and safe from any thread.</remarks>
public sealed class CgroupMemoryStat
{
    private const string File = "memory.stat";
    private readonly byte[] _text;

    internal CgroupMemoryStat(ReadOnlySpan<byte> text) => _text = text.ToArray();

    /// <summary>One figure; <see langword="null"/> where this kernel does not have it.</summary>
    /// <param name="name">As the kernel spells it, for example <c>slab_reclaimable</c>.</param>
    /// <exception cref="ArgumentNullException">There is no name.</exception>
    /// <exception cref="CgroupException">Malformed: the kernel's line is not a name and a number.</exception>
    public long? this[string name]
    {
        get
        {
            ArgumentNullException.ThrowIfNull(name);
            byte[] wanted = Encoding.UTF8.GetBytes(name);
            KernelText text = new(File, _text);
            while (text.NextPair(out ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value))
            {
                if (key.SequenceEqual(wanted)) return text.Number(value);
            }

            return null;
        }
    }

    /// <summary>All figures, in the kernel's order.</summary>
    /// <exception cref="CgroupException">Malformed: a line is not a name and a number.</exception>
    public IReadOnlyList<KeyValuePair<string, long>> ToList()
    {
        List<KeyValuePair<string, long>> entries = [];
        KernelText text = new(File, _text);
        while (text.NextPair(out ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value))
            entries.Add(new(Encoding.UTF8.GetString(key), text.Number(value)));
        return entries;
    }
}
