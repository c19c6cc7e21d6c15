namespace Isolation;

/// <summary>Runs a filter as the kernel would (net/core/filter.c; of its instructions those that filters here have), so that one can be compared with its policy.</summary>
internal static class BpfMachine
{
    /// <param name="program">The filter.</param>
    /// <param name="number">Of the system call.</param>
    /// <param name="architecture">As AUDIT_ARCH_… says it.</param>
    /// <param name="arguments">Six.</param>
    /// <param name="steps">How many instructions it took.</param>
    /// <returns>What the filter answers.</returns>
    /// <exception cref="InvalidOperationException">It is no filter that the kernel would take.</exception>
    internal static uint Run(ReadOnlySpan<BpfInstruction> program, int number, uint architecture, ReadOnlySpan<ulong> arguments, out int steps)
    {
        uint accumulator = 0;
        steps = 0;
        for (int at = 0; at < program.Length; at++)
        {
            steps++;
            BpfInstruction instruction = program[at];
            switch (instruction.Code)
            {
                case BpfInstruction.Load:
                    accumulator = Word((int)instruction.Operand, number, architecture, arguments);
                    break;
                case BpfInstruction.And:
                    accumulator &= instruction.Operand;
                    break;
                case BpfInstruction.Return:
                    return instruction.Operand;
                case BpfInstruction.Jump:
                    at += (int)instruction.Operand;
                    break;
                case BpfInstruction.JumpEqual:
                    at += accumulator == instruction.Operand ? instruction.True : instruction.False;
                    break;
                case BpfInstruction.JumpGreater:
                    at += accumulator > instruction.Operand ? instruction.True : instruction.False;
                    break;
                case BpfInstruction.JumpGreaterOrEqual:
                    at += accumulator >= instruction.Operand ? instruction.True : instruction.False;
                    break;
                case BpfInstruction.JumpSet:
                    at += (accumulator & instruction.Operand) != 0 ? instruction.True : instruction.False;
                    break;
                default:
                    throw new InvalidOperationException($"The instruction {at} is none: {instruction.Text(at)}.");
            }
        }

        throw new InvalidOperationException("The filter ends without an answer.");
    }

    /// <summary>Of struct seccomp_data: number, architecture, instruction pointer, arguments.</summary>
    private static uint Word(int offset, int number, uint architecture, ReadOnlySpan<ulong> arguments) => offset switch
    {
        0 => (uint)number,
        4 => architecture,
        8 or 12 => 0,
        >= 16 and < 64 when offset % 4 == 0 => (uint)(arguments[(offset - 16) / 8] >> (offset % 8 == 0 ? 0 : 32)),
        _ => throw new InvalidOperationException($"The filter reads at {offset}, where nothing is."),
    };
}
