namespace Isolation.Tests;

/// <summary>Every system call that a profile leaves reachable, as a list that was reviewed. What the compiled filter says, not the policy.</summary>
public sealed class ReachableCallTests
{
    private const string Rewrite = "ISOLATION_REWRITE_GOLDEN";

    public static TheoryData<string> Names => ["default", "strict", "nesting"];

    [Theory, MemberData(nameof(Names))]
    public void Only_these_can_be_called(string name)
    {
        (SeccompPolicy policy, CapabilitySet capabilities) = name switch
        {
            "strict" => (SeccompPolicy.Strict with { Architectures = [SeccompArchitecture.X64] }, CapabilitySet.None),
            "nesting" => (SeccompPolicy.Nesting, CapabilitySet.Default),
            _ => (SeccompPolicy.Default, CapabilitySet.Default),
        };
        var filter = SeccompCompiler.Compile(policy, capabilities, isArm64: false);
        List<string> lines = [];
        foreach (string call in SystemCallTable.Names.Order(StringComparer.Ordinal))
        {
            if (SystemCallTable.NumberOf(call, SeccompArchitecture.X64) is not { } number) continue;
            uint none = Run(filter, number, new ulong[6]), ones = Run(filter, number, [.. Enumerable.Repeat(ulong.MaxValue, 6)]);
            if (none == SeccompAction.Allow.Value && ones == SeccompAction.Allow.Value) lines.Add(call);
            else if (none == SeccompAction.Allow.Value || ones == SeccompAction.Allow.Value) lines.Add(call + " (by its arguments)");
        }

        string path = SourceTree.PathOf($"tests/Isolation.Tests/Golden/calls-{name}.txt"), text = string.Join('\n', lines) + "\n";
        if (Environment.GetEnvironmentVariable(Rewrite) == "1") File.WriteAllText(path, text);
        string golden = File.Exists(path) ? File.ReadAllText(path) : "";
        Assert.True(golden == text, LineDifference.Of(golden, text));
    }

    private static uint Run(System.Collections.Immutable.ImmutableArray<BpfInstruction> filter, int number, ulong[] arguments) =>
        BpfMachine.Run(filter.AsSpan(), number, SeccompCompiler.AuditX64, arguments, out _);
}
