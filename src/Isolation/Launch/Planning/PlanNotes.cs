using static Isolation.Linux.SystemCall;

namespace Isolation.Launch;

/// <summary>A fallback that a plan took: what was asked for, and what was done instead.</summary>
internal readonly record struct EnforcementNote(string Feature, string Detail);

/// <summary>
/// What a plan can tell the host besides success and failure: which fallback it took. A note is one byte on the
/// channel, its index here.
/// </summary>
internal sealed class PlanNotes(PlanWriter writer)
{
    private readonly List<EnforcementNote> _all = [];

    internal IReadOnlyList<EnforcementNote> All => _all;

    /// <summary>Writes the step that sends a note; it ends the branch of the fallback.</summary>
    internal void Send(string feature, string detail, Label back)
    {
        byte index = checked((byte)_all.Count);
        _all.Add(new(feature, detail));
        writer.For($"report: {detail}");
        writer.Call(write, writer.Channel, Operand.Bytes([index], $"note {index}"), 1).When(1, back);
    }
}
