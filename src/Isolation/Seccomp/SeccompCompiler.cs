using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;

namespace Isolation;

/// <summary>
/// Makes a filter of a policy: by architecture, and then by a balanced search over the numbers of system calls, in which neighbours with one action are one range.
/// Pure.
/// </summary>
internal static class SeccompCompiler
{
    internal const uint AuditX64 = 0xc000003e, AuditX86 = 0x40000003, AuditArm64 = 0xc00000b7, X32Bit = 0x40000000;

    /// <summary>What the kernel takes at most (BPF_MAXINSNS).</summary>
    internal const int MostInstructions = 4096;

    private static readonly ConditionalWeakTable<SeccompPolicy, ConcurrentDictionary<(CapabilitySet, bool), ImmutableArray<BpfInstruction>>> Compiled = [];

    private const int NumberOffset = 0, ArchitectureOffset = 4, ArgumentsOffset = 16;

    /// <summary>Whose programs run on a machine.</summary>
    internal static ImmutableArray<SeccompArchitecture> ArchitecturesOf(SeccompPolicy policy, bool isArm64) =>
        policy.Architectures.IsDefaultOrEmpty ? isArm64 ? [SeccompArchitecture.Arm64] : [SeccompArchitecture.X64, SeccompArchitecture.X86, SeccompArchitecture.X32] : policy.Architectures;

    /// <summary>As <see cref="Compile"/>; a policy that is used again is not compiled again. Safe from any thread.</summary>
    internal static ImmutableArray<BpfInstruction> Get(SeccompPolicy policy, CapabilitySet capabilities, bool isArm64) =>
        Compiled.GetValue(policy, _ => []).GetOrAdd((capabilities, isArm64), key => Compile(policy, key.Item1, key.Item2));

    /// <param name="policy">Which.</param>
    /// <param name="capabilities">What the container has.</param>
    /// <param name="isArm64">Which machine it is for; else x86-64.</param>
    /// <exception cref="InvalidOperationException">The filter would be larger than the kernel takes.</exception>
    internal static ImmutableArray<BpfInstruction> Compile(SeccompPolicy policy, CapabilitySet capabilities, bool isArm64)
    {
        ImmutableArray<SeccompArchitecture> architectures = ArchitecturesOf(policy, isArm64);
        SeccompRule[] rules = [.. policy.Rules.Where(rule => SeccompPolicy.Applies(rule, capabilities))];
        BpfAssembler assembler = new();
        BpfLabel x86 = new(), x32 = new(), foreign = new();
        bool hasX86 = !isArm64 && architectures.Contains(SeccompArchitecture.X86), hasX32 = !isArm64 && architectures.Contains(SeccompArchitecture.X32);
        bool hasNative = architectures.Contains(isArm64 ? SeccompArchitecture.Arm64 : SeccompArchitecture.X64);
        assembler.Load(ArchitectureOffset);
        assembler.Compare(BpfInstruction.JumpEqual, isArm64 ? AuditArm64 : AuditX64, null, hasX86 ? x86 : foreign);
        assembler.Load(NumberOffset);
        if (!isArm64)
        {
            // A number of x32 has a bit of its own; -1, which a tracer leaves to say that no call is wanted, has it too.
            BpfLabel plain = new();
            assembler.Compare(BpfInstruction.JumpGreaterOrEqual, X32Bit, null, plain);
            assembler.Compare(BpfInstruction.JumpEqual, uint.MaxValue, null, hasX32 ? x32 : foreign);
            assembler.Return(policy.NewerAction.Value);
            assembler.Mark(plain);
        }

        if (hasNative) WriteSearch(assembler, RangesOf(policy, rules, isArm64 ? SeccompArchitecture.Arm64 : SeccompArchitecture.X64, 0));
        else assembler.Return(policy.ForeignAction.Value);
        if (hasX32)
        {
            assembler.Mark(x32);
            WriteSearch(assembler, RangesOf(policy, rules, SeccompArchitecture.X32, X32Bit));
        }

        if (hasX86)
        {
            assembler.Mark(x86);
            assembler.Compare(BpfInstruction.JumpEqual, AuditX86, null, foreign);
            assembler.Load(NumberOffset);
            WriteSearch(assembler, RangesOf(policy, rules, SeccompArchitecture.X86, 0));
        }

        assembler.Mark(foreign);
        assembler.Return(policy.ForeignAction.Value);
        ImmutableArray<BpfInstruction> program = assembler.Assemble();
        return program.Length <= MostInstructions ? program
            : throw new InvalidOperationException($"The filter has {program.Length} instructions, and the kernel takes {MostInstructions} at most: name fewer architectures, or have fewer conditions.");
    }

    /// <summary>The program, an instruction a line.</summary>
    internal static string Disassemble(ImmutableArray<BpfInstruction> program) => string.Join('\n', program.Select((instruction, at) => $"{at,4}: {instruction.Text(at)}"));

    /// <summary>From which number on what holds, up to the next; the first begins at 0.</summary>
    private static List<(uint First, Decision Decision)> RangesOf(SeccompPolicy policy, SeccompRule[] rules, SeccompArchitecture architecture, uint bit)
    {
        Dictionary<int, List<SeccompRule>> byNumber = [];
        foreach (SeccompRule rule in rules)
            foreach (string name in rule.SystemCalls)
                if (SystemCallTable.NumberOf(name, architecture) is { } number) (byNumber.TryGetValue(number, out List<SeccompRule>? list) ? list : byNumber[number] = []).Add(rule);
        List<(uint First, Decision Decision)> ranges = [];
        int last = SystemCallTable.LastOf(architecture);
        for (int number = 0; number <= last + 1; number++)
        {
            Decision decision = number > last ? new([], policy.NewerAction) : Decision.Of(byNumber.GetValueOrDefault(number), policy.DefaultAction);
            if (ranges.Count == 0 || !ranges[^1].Decision.IsSame(decision)) ranges.Add(((uint)number | bit, decision));
        }

        return ranges;
    }

    private static void WriteSearch(BpfAssembler assembler, List<(uint First, Decision Decision)> ranges)
    {
        Write(0, ranges.Count);

        void Write(int from, int to)
        {
            if (to - from == 1)
            {
                WriteDecision(assembler, ranges[from].Decision);
                return;
            }

            int middle = from + (to - from) / 2;
            BpfLabel upper = new();
            assembler.Compare(BpfInstruction.JumpGreaterOrEqual, ranges[middle].First, upper, null);
            Write(from, middle);
            assembler.Mark(upper);
            Write(middle, to);
        }
    }

    private static void WriteDecision(BpfAssembler assembler, Decision decision)
    {
        foreach (SeccompRule rule in decision.Conditional)
        {
            BpfLabel next = new();
            foreach (SeccompCondition condition in rule.Conditions) WriteCondition(assembler, condition, next);
            assembler.Return(rule.Action.Value);
            assembler.Mark(next);
        }

        assembler.Return(decision.Otherwise.Value);
    }

    /// <summary>Goes on behind it where it holds. Arguments have 64 bits, and what is loaded 32.</summary>
    private static void WriteCondition(BpfAssembler assembler, SeccompCondition condition, BpfLabel fails)
    {
        int low = ArgumentsOffset + 8 * condition.Argument, high = low + 4;
        (uint valueLow, uint valueHigh) = ((uint)condition.Value, (uint)(condition.Value >> 32));
        BpfLabel holds = new();
        assembler.Load(high);
        switch (condition.Comparison)
        {
            case SeccompComparison.Equal:
                assembler.Compare(BpfInstruction.JumpEqual, valueHigh, null, fails);
                assembler.Load(low);
                assembler.Compare(BpfInstruction.JumpEqual, valueLow, null, fails);
                break;
            case SeccompComparison.NotEqual:
                assembler.Compare(BpfInstruction.JumpEqual, valueHigh, null, holds);
                assembler.Load(low);
                assembler.Compare(BpfInstruction.JumpEqual, valueLow, fails, null);
                break;
            case SeccompComparison.Greater or SeccompComparison.GreaterOrEqual:
                assembler.Compare(BpfInstruction.JumpGreater, valueHigh, holds, null);
                assembler.Compare(BpfInstruction.JumpEqual, valueHigh, null, fails);
                assembler.Load(low);
                assembler.Compare(condition.Comparison == SeccompComparison.Greater ? BpfInstruction.JumpGreater : BpfInstruction.JumpGreaterOrEqual, valueLow, null, fails);
                break;
            case SeccompComparison.Less or SeccompComparison.LessOrEqual:
                assembler.Compare(BpfInstruction.JumpGreater, valueHigh, fails, null);
                assembler.Compare(BpfInstruction.JumpEqual, valueHigh, null, holds);
                assembler.Load(low);
                assembler.Compare(condition.Comparison == SeccompComparison.Less ? BpfInstruction.JumpGreaterOrEqual : BpfInstruction.JumpGreater, valueLow, fails, null);
                break;
            default:
                assembler.And((uint)(condition.Mask >> 32));
                assembler.Compare(BpfInstruction.JumpEqual, valueHigh, null, fails);
                assembler.Load(low);
                assembler.And((uint)condition.Mask);
                assembler.Compare(BpfInstruction.JumpEqual, valueLow, null, fails);
                break;
        }

        assembler.Mark(holds);
    }

    /// <summary>What becomes of one system call: rules with conditions, and what holds where none of them does.</summary>
    private sealed record Decision(ImmutableArray<SeccompRule> Conditional, SeccompAction Otherwise)
    {
        internal static Decision Of(List<SeccompRule>? rules, SeccompAction otherwise)
        {
            if (rules is null) return new([], otherwise);
            int unconditional = rules.FindIndex(rule => rule.Conditions.IsDefaultOrEmpty);
            SeccompRule[] conditional = [.. unconditional < 0 ? rules : rules.Take(unconditional)]; // what follows one without conditions is never reached
            SeccompAction last = unconditional < 0 ? otherwise : rules[unconditional].Action;
            return new(conditional.All(rule => rule.Action == last) ? [] : [.. conditional], last);
        }

        internal bool IsSame(Decision other) => Otherwise == other.Otherwise && Conditional.AsSpan().SequenceEqual(other.Conditional.AsSpan());
    }
}
