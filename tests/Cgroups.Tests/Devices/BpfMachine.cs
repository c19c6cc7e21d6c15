using System.Runtime.InteropServices;
using Isolation.Linux;

namespace Isolation.Cgroups.Tests;

/// <summary>
/// Reads and runs programs of the kernel's machine, as far as ours go; written from the instruction set's document
/// (Documentation/bpf/standardization/instruction-set.rst) and not from the assembler.
/// </summary>
internal sealed class BpfMachine
{
    private readonly bpf_insn[] _program;

    internal BpfMachine(byte[] program)
    {
        Assert.Equal(0, program.Length % 8);
        _program = [.. MemoryMarshal.Cast<byte, bpf_insn>(program)];
    }

    internal string[] Listing => [.. _program.Select(Text)];

    /// <returns>R0 at the end.</returns>
    internal ulong Run(DeviceType type, DeviceAccess access, uint major, uint minor)
    {
        const ulong context = 0x1000_0000;
        uint[] memory = [((uint)access << 16) | (type == DeviceType.Block ? 1u : 2u), major, minor];
        ulong?[] registers = new ulong?[11];
        registers[1] = context;
        registers[10] = 0x2000_0000;
        for (int at = 0; ; at++)
        {
            // Only forward jumps, so that this ends.
            Assert.InRange(at, 0, _program.Length - 1);
            bpf_insn insn = _program[at];
            int to = insn.Registers & 15, from = insn.Registers >> 4;
            ulong Read(int register) => registers[register] ?? throw new InvalidOperationException($"r{register} is read at {at} and was never written");
            switch (insn.code)
            {
                case 0x61: // LDX | W | MEM
                    long index = (long)(Read(from) - context) + insn.off;
                    Assert.Equal(0, index % 4);
                    registers[to] = memory[index / 4];
                    break;
                case 0xb7: // ALU64 | MOV | K
                    registers[to] = (ulong)(long)insn.imm;
                    break;
                case 0x54: // ALU | AND | K
                    registers[to] = (uint)Read(to) & (uint)insn.imm;
                    break;
                case 0x74: // ALU | RSH | K
                    registers[to] = (uint)Read(to) >> (insn.imm & 31);
                    break;
                case 0x05: // JMP | JA
                    at += Forward(insn);
                    break;
                case 0x55: // JMP | JNE | K
                    if (Read(to) != (ulong)(long)insn.imm) at += Forward(insn);
                    break;
                case 0x45: // JMP | JSET | K
                    if ((Read(to) & (ulong)(long)insn.imm) != 0) at += Forward(insn);
                    break;
                case 0x95: // JMP | EXIT
                    return Read(0);
                default:
                    throw new InvalidOperationException($"code 0x{insn.code:x} at {at}");
            }
        }
    }

    /// <summary>Instructions that no way leads to, for which the kernel refuses a program.</summary>
    internal List<int> Unreached()
    {
        var reached = new bool[_program.Length];
        var ahead = new Stack<int>([0]);
        while (ahead.TryPop(out int at))
        {
            Assert.InRange(at, 0, _program.Length - 1);
            if (reached[at]) continue;
            reached[at] = true;
            bpf_insn insn = _program[at];
            if (insn.code is 0x05 or 0x55 or 0x45) ahead.Push(at + 1 + insn.off);
            if (insn.code is not (0x05 or 0x95)) ahead.Push(at + 1);
        }
        return [.. Enumerable.Range(0, reached.Length).Where(at => !reached[at])];
    }

    private static int Forward(bpf_insn insn)
    {
        Assert.InRange(insn.off, (short)1, short.MaxValue);
        return insn.off;
    }

    private static string Text(bpf_insn insn)
    {
        int to = insn.Registers & 15, from = insn.Registers >> 4;
        return insn.code switch
        {
            0x61 => $"r{to} = *(u32 *)(r{from} + {insn.off})",
            0xb7 => $"r{to} = {insn.imm}",
            0x54 => $"w{to} &= {insn.imm}",
            0x74 => $"w{to} >>= {insn.imm}",
            0x05 => $"goto +{insn.off}",
            0x55 => $"if r{to} != {insn.imm} goto +{insn.off}",
            0x45 => $"if r{to} & {insn.imm} goto +{insn.off}",
            0x95 => "exit",
            _ => $"0x{insn.code:x}",
        };
    }
}
