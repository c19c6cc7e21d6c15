namespace Isolation.Cgroups;

/// <summary>
/// A figure that the kernel may not have, in eight bytes instead of the sixteen of a <c>long?</c>: a reading has dozens.
/// It is kept as its complement, which is never 0, so that one that was never set is a missing one. Times are in ticks.
/// </summary>
internal readonly struct Figure
{
    private readonly long _complement;

    /// <param name="value">Not negative.</param>
    internal Figure(long value) => _complement = ~value;

    internal long? Value => _complement == 0 ? null : ~_complement;

    internal TimeSpan? Time => _complement == 0 ? null : new TimeSpan(~_complement);

    /// <summary>The greater of two; a missing one is less than any.</summary>
    internal static Figure Max(Figure first, Figure second) => first._complement < second._complement ? first : second;
}
