using Isolation.Nested;

namespace Isolation.Live.Tests;

/// <summary>
/// Each step of a plan fails, one after the other, in the child: the launch fails and says at what, or does without, and
/// nothing is left behind.
/// </summary>
[Collection(nameof(Alone))]
public sealed class FailEachStepTests
{
    public static TheoryData<string> Kinds => [.. PlanKinds.Names];

    [Theory, MemberData(nameof(Kinds))]
    [Trait("Category", "Slow")]
    public async Task A_step_that_fails_leaves_nothing_behind(string kind)
    {
        Requirements.Check(kind);

        string[][] lines = await FaultRun.RunAsync("fail-each-step", "<directory>", kind);

        FaultRun.AssertNothingIsLeft(lines, outcome: 3, nameof(ContainerException));
    }

    internal static class Requirements
    {
        /// <summary>What a kind of plan needs of the machine.</summary>
        internal static void Check(string kind)
        {
            Assert.SkipUnless(File.Exists("/bin/busybox"), "there is no /bin/busybox: install busybox-static");
            if (kind != "subordinate") return;
            Lane.RequiresUnprivileged("root maps every id without ranges, and has none");
            Assert.SkipUnless(File.Exists("/etc/subuid") && File.ReadLines("/etc/subuid").Any(line => line.StartsWith(Environment.UserName + ":", StringComparison.Ordinal)), "the user has no subordinate ids");
        }
    }
}
