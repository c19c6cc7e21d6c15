using System.Buffers.Binary;

namespace Isolation;

/// <summary>All that sched_setattr(2) takes.</summary>
/// <param name="Name">Of the policy.</param>
/// <param name="Policy">SCHED_*.</param>
/// <param name="Flags">SCHED_FLAG_*.</param>
/// <param name="Nice">Of the policies that have one.</param>
/// <param name="Priority">Of real-time policies.</param>
/// <param name="Runtime">Nanoseconds in each period, of SCHED_DEADLINE, like those that follow.</param>
/// <param name="Deadline">Nanoseconds after its begin.</param>
/// <param name="Period">Nanoseconds.</param>
internal sealed record SchedulerAttributes(string Name, int Policy, ulong Flags, int Nice, uint Priority, ulong Runtime, ulong Deadline, ulong Period)
{
    private const int Size = 48; // SCHED_ATTR_SIZE_VER0 (linux/sched/types.h)

    internal byte[] ToStruct()
    {
        byte[] bytes = new byte[Size];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, Size);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4), Policy);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(8), Flags);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(16), Nice);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(20), Priority);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(24), Runtime);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(32), Deadline);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(40), Period);
        return bytes;
    }

    public override string ToString() => FormattableString.Invariant($"{{{Name}, flags 0x{Flags:x}, nice {Nice}, priority {Priority}, {Runtime}/{Deadline}/{Period} ns}}");
}
