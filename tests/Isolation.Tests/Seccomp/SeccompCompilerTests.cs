using System.Collections.Immutable;
using CsCheck;
using Isolation.Linux;

namespace Isolation.Tests;

/// <summary>A compiled filter answers what its policy says, for every system call of every architecture, and for arguments about every boundary.</summary>
public sealed class SeccompCompilerTests
{
    private static readonly ImmutableArray<string> Names = [.. SystemCallTable.Names];

    private static readonly Gen<SeccompAction> Actions = Gen.OneOf(
        Gen.Const(SeccompAction.Allow), Gen.Const(SeccompAction.KillProcess), Gen.Const(SeccompAction.KillThread), Gen.Const(SeccompAction.Trap), Gen.Const(SeccompAction.Log), Gen.Const(SeccompAction.Notify),
        Gen.Int[0, 4095].Select(errno => SeccompAction.Fail((Errno)errno)), Gen.Int[0, 65535].Select(message => SeccompAction.Trace((ushort)message)));

    private static readonly Gen<ulong> Values = Gen.OneOf(Gen.ULong[0, 3], Gen.OneOf(0x7fffffffUL, 0x80000000UL, 0xffffffffUL, 0x100000000UL, 0x1_0000_0001UL, ulong.MaxValue, ulong.MaxValue - 1, 1UL << 63), Gen.ULong);

    private static readonly Gen<SeccompCondition> Conditions = Gen.Select(Gen.Int[0, 5], Gen.Enum<SeccompComparison>(), Values, Values, (argument, comparison, value, mask) =>
        comparison == SeccompComparison.MaskedEqual ? SeccompCondition.Masked(argument, mask, value & mask) : new SeccompCondition(argument, comparison, value));

    private static readonly Gen<SeccompRule> Rules = Gen.Select(Gen.Int[0, Names.Length - 1].Array[1, 15], Actions, Conditions.Array[0, 2], (names, action, conditions) =>
        new SeccompRule([.. names.Select(at => Names[at])], action) { Conditions = [.. conditions] });

    // Five rules of fifteen names with two conditions are as much as always fits.
    private static readonly Gen<SeccompPolicy> Policies = Gen.Select(Actions, Rules.Array[0, 5], (otherwise, rules) => new SeccompPolicy { DefaultAction = otherwise, Rules = [.. rules] });

    [Fact]
    public void A_filter_answers_as_its_policy_says() => Gen.Select(Policies, Gen.Bool, Values.Array[6]).Sample((policy, isArm64, arguments) => AssertSame(policy, isArm64, default, [arguments]), iter: 300);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void So_does_that_of_the_default(bool isArm64)
    {
        foreach (CapabilitySet capabilities in (CapabilitySet[])[CapabilitySet.Default, CapabilitySet.None, CapabilitySet.All])
            AssertSame(SeccompPolicy.Default, isArm64, capabilities, Boundaries(SeccompPolicy.Default));
    }

    [Fact]
    public void The_search_is_balanced()
    {
        ImmutableArray<BpfInstruction> program = SeccompCompiler.Compile(SeccompPolicy.Default, CapabilitySet.Default, isArm64: false);

        int most = Enumerable.Range(0, 470).Max(number =>
        {
            BpfMachine.Run(program.AsSpan(), number, SeccompCompiler.AuditX64, new ulong[6], out int steps);
            return steps;
        });

        Assert.InRange(most, 5, 22);
        Assert.InRange(program.Length, 100, 1000);
        Assert.Null(SeccompPolicy.Default.Problem());
    }

    [Fact]
    public void Programs_of_other_architectures_and_calls_that_are_newer_are_told_apart()
    {
        SeccompPolicy policy = SeccompPolicy.Default with { Architectures = [SeccompArchitecture.X64] };
        ReadOnlySpan<BpfInstruction> program = SeccompCompiler.Compile(policy, CapabilitySet.Default, isArm64: false).AsSpan();

        Assert.Equal(SeccompAction.KillProcess.Value, BpfMachine.Run(program, 1, SeccompCompiler.AuditX86, new ulong[6], out _));
        Assert.Equal(SeccompAction.KillProcess.Value, BpfMachine.Run(program, 1, SeccompCompiler.AuditArm64, new ulong[6], out _));
        Assert.Equal(SeccompAction.KillProcess.Value, BpfMachine.Run(program, 0x40000001, SeccompCompiler.AuditX64, new ulong[6], out _));
        Assert.Equal(SeccompAction.Fail(Errno.ENOSYS).Value, BpfMachine.Run(program, 100_000, SeccompCompiler.AuditX64, new ulong[6], out _));
        Assert.Equal(SeccompAction.Fail(Errno.ENOSYS).Value, BpfMachine.Run(program, -1, SeccompCompiler.AuditX64, new ulong[6], out _));
    }

    [Fact]
    public void A_policy_is_compiled_once()
    {
        ImmutableArray<BpfInstruction> first = SeccompCompiler.Get(SeccompPolicy.Default, CapabilitySet.Default, isArm64: false);

        Assert.True(first == SeccompCompiler.Get(SeccompPolicy.Default, CapabilitySet.Default, isArm64: false));
        Assert.False(first == SeccompCompiler.Get(SeccompPolicy.Default, CapabilitySet.All, isArm64: false));
        Assert.Equal(SeccompCompiler.Compile(SeccompPolicy.Default, CapabilitySet.Default, isArm64: false).AsSpan(), first.AsSpan());
    }

    [Fact]
    public void A_filter_that_is_too_large_is_refused()
    {
        SeccompCondition[] conditions = [.. Enumerable.Range(0, 6).Select(argument => new SeccompCondition(argument, SeccompComparison.NotEqual, 1))];
        SeccompPolicy policy = new() { DefaultAction = SeccompAction.KillProcess, Rules = [.. Names.Select(name => new SeccompRule([name], SeccompAction.Allow) { Conditions = [.. conditions] })] };

        Assert.Contains("4096", Assert.Throws<InvalidOperationException>(() => SeccompCompiler.Compile(policy, default, isArm64: false)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("x86_64-linux-gnu-gcc", "X64", 0)]
    [InlineData("aarch64-linux-gnu-gcc", "Arm64", 0)]
    [InlineData("x86_64-linux-gnu-gcc", "X86", 32)]
    public void The_table_has_the_numbers_of_the_headers(string compiler, string architecture, int bits)
    {
        string? found = new[] { $"/usr/bin/{compiler}", compiler.StartsWith("x86", StringComparison.Ordinal) ? "/usr/bin/gcc" : "" }.FirstOrDefault(File.Exists);
        Assert.SkipWhen(found is null, $"there is no {compiler}");
        SeccompArchitecture which = Enum.Parse<SeccompArchitecture>(architecture);
        using TemporaryDirectory directory = new();
        string source = Path.Join(directory.Path, "numbers.c"), header = bits == 32 ? "asm/unistd_32.h" : "sys/syscall.h";
        File.WriteAllText(source, $"#include <{header}>\n" + string.Concat(Names.Select(name => $"#ifdef __NR_{name}\nnumber {name} __NR_{name}\n#endif\n")));

        Dictionary<string, int> numbers = ToolRun.Of(found!, ["-E", "-P", source]).Text.Split('\n').Select(line => line.Split(' ')).Where(words => words is ["number", _, _]).ToDictionary(words => words[1], words => int.Parse(words[2], System.Globalization.CultureInfo.InvariantCulture));

        Assert.InRange(numbers.Count, 280, Names.Length);
        Assert.All(numbers, each => Assert.Equal((each.Key, (int?)each.Value), (each.Key, SystemCallTable.NumberOf(each.Key, which))));
    }

    private static void AssertSame(SeccompPolicy policy, bool isArm64, CapabilitySet capabilities, IReadOnlyList<ulong[]> arguments)
    {
        ImmutableArray<BpfInstruction> program = SeccompCompiler.Compile(policy, capabilities, isArm64);
        foreach (SeccompArchitecture architecture in SeccompCompiler.ArchitecturesOf(policy, isArm64))
        {
            (uint audit, uint bit) = architecture switch { SeccompArchitecture.Arm64 => (SeccompCompiler.AuditArm64, 0u), SeccompArchitecture.X86 => (SeccompCompiler.AuditX86, 0u), SeccompArchitecture.X32 => (SeccompCompiler.AuditX64, SeccompCompiler.X32Bit), _ => (SeccompCompiler.AuditX64, 0u) };
            Dictionary<int, string> byNumber = Names.Where(name => SystemCallTable.NumberOf(name, architecture) is not null).GroupBy(name => SystemCallTable.NumberOf(name, architecture)!.Value).ToDictionary(names => names.Key, names => names.First());
            for (int number = 0; number <= SystemCallTable.LastOf(architecture) + 3; number++)
            {
                foreach (ulong[] each in arguments)
                {
                    SeccompAction expected = number > SystemCallTable.LastOf(architecture) ? policy.NewerAction : byNumber.TryGetValue(number, out string? name) ? policy.Decide(name, each, capabilities) : policy.DefaultAction;
                    uint got = BpfMachine.Run(program.AsSpan(), (int)((uint)number | bit), audit, each, out _);
                    if (expected.Value != got) Assert.Fail($"{architecture} {number} {byNumber.GetValueOrDefault(number)}({string.Join(", ", each.Select(value => $"0x{value:x}"))}) is 0x{got:x}, and should be {expected}");
                }
            }
        }
    }

    /// <summary>About each value of a condition, for its argument.</summary>
    private static List<ulong[]> Boundaries(SeccompPolicy policy)
    {
        List<ulong[]> arguments = [new ulong[6]];
        foreach (SeccompCondition condition in policy.Rules.SelectMany(rule => rule.Conditions))
        {
            foreach (ulong value in (ulong[])[condition.Value, condition.Value - 1, condition.Value + 1, condition.Value | 1UL << 32, ~condition.Value, condition.Mask, condition.Value ^ (condition.Mask & (0 - condition.Mask))])
            {
                ulong[] each = new ulong[6];
                each[condition.Argument] = value;
                arguments.Add(each);
            }
        }

        return arguments;
    }
}
