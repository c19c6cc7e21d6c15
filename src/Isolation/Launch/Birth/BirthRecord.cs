using System.Runtime.InteropServices;

namespace Isolation.Launch;

/// <summary>What the trampoline reads; the layout is in <c>Machine/interpreter.x64.s</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct BirthRecord
{
    internal nint Number;
    internal fixed long Operands[5];
    internal nint Base;
    internal nint First;
    internal ulong OldMask;
    internal ulong FullMask;
}
