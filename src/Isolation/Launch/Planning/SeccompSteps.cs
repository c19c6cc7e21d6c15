using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Isolation.Linux;
using static Isolation.Linux.Abi;
using static Isolation.Linux.SystemCall;

namespace Isolation.Launch;

/// <summary>The filter on system calls is put in force: the last thing before the program, whose start it must allow.</summary>
internal static class SeccompSteps
{
    private const int InstructionSize = 8;

    internal static void Write(PlanWriter writer, PlanInputs inputs)
    {
        if (inputs.Filter is not { } policy) return;
        ImmutableArray<BpfInstruction> program = SeccompCompiler.Get(policy, inputs.Spec.Capabilities, inputs.Host.Abi.Architecture == Architecture.Arm64);
        byte[] code = new byte[program.Length * InstructionSize], header = new byte[16]; // struct sock_filter[], struct sock_fprog
        for (int i = 0; i < program.Length; i++)
        {
            Span<byte> at = code.AsSpan(i * InstructionSize);
            BinaryPrimitives.WriteUInt16LittleEndian(at, program[i].Code);
            (at[2], at[3]) = (program[i].True, program[i].False);
            BinaryPrimitives.WriteUInt32LittleEndian(at[4..], program[i].Operand);
        }

        BinaryPrimitives.WriteUInt16LittleEndian(header, (ushort)program.Length);
        Slot filter = new("filter", code.Length) { Initial = code }, description = new("struct sock_fprog", header.Length) { Initial = header, Pointers = [(8, filter)] };
        writer.For("filter system calls");
        writer.Call(seccomp, Operand.Named(SECCOMP_SET_MODE_FILTER, "SECCOMP_SET_MODE_FILTER"), 0, Operand.AddressOf(description));
    }
}
