using System.Globalization;
using Isolation.Nested;

namespace Isolation.Live.Tests;

/// <summary>
/// The program that uses the library is killed with SIGKILL wherever it stands. Once somebody has opened its state
/// directory, no process, record, mount or interface of it is left.
/// </summary>
[Collection(nameof(Alone))]
public sealed class KillTests
{
    private const int AtOnce = 3;

    public static TheoryData<string> Kinds => [.. PlanKinds.Names];

    public static TheoryData<string> Deaths => [.. FaultScope.Deaths([.. Scenarios.Names, "recover"])];

    [Theory, MemberData(nameof(Kinds))]
    [Trait("Category", "Slow")]
    public async Task While_the_child_stands_at_each_step(string kind)
    {
        FailEachStepTests.Requirements.Check(kind);

        string[][] lines = await FaultRun.RunAsync("kill", "stand", "<directory>", "1", kind);

        Assert.StartsWith("ready", lines[0][1], StringComparison.Ordinal);
        AssertNothingIsLeft(lines);
    }

    [Theory, MemberData(nameof(Deaths))]
    [Trait("Category", "Slow")]
    public async Task Before_each_system_call_of(string scenario)
    {
        string[][] lines = await FaultRun.RunAsync("kill", "die", "<directory>", Text(AtOnce), scenario);

        // The last found that there was no such call any more.
        Assert.Contains(lines, line => line[1].EndsWith("calls", StringComparison.Ordinal));
        AssertNothingIsLeft(lines);
    }

    [Fact]
    [Trait("Category", "Slow")]
    public async Task At_random_moments()
    {
        int kills = int.Parse(Setting("ISOLATION_KILLS", "20"), CultureInfo.InvariantCulture);
        int seed = int.Parse(Setting("ISOLATION_KILLS_SEED", Text(Random.Shared.Next(1_000_000_000))), CultureInfo.InvariantCulture);

        string[][] lines = await FaultRun.RunAsync("kill", "churn", "<directory>", Text(AtOnce), Text(kills), Text(seed));

        Assert.Equal(kills + 1, lines.Length);
        AssertNothingIsLeft(lines);
    }

    private static void AssertNothingIsLeft(string[][] lines)
    {
        string[] wrong = [.. lines.Where(line => line[^1] != "nothing").Select(line => string.Join('\t', line))];
        Assert.True(wrong.Length == 0, string.Join('\n', wrong));
        Assert.Equal("end", lines[^1][0]);
    }

    private static string Setting(string name, string otherwise) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : otherwise;

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
