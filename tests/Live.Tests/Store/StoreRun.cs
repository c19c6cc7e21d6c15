using System.Globalization;
using Isolation.Nested;

namespace Isolation.Live.Tests;

/// <summary>How much of the tests in which an operation on a store is cut short is run, and what must come of each cut.</summary>
internal static class StoreRun
{
    /// <summary>Of each operation: a few, or with <c>ISOLATION_FAULTS=all</c> every one.</summary>
    internal static string Cuts { get; } = FaultScope.IsAll ? "100000" : "8";

    /// <summary>Whether all calls are counted, or those that bring things to disk, name or remove them.</summary>
    internal static string EachCall { get; } = FaultScope.IsAll.ToString();

    /// <summary>What is said where there is no room, or where there was enough.</summary>
    internal const string Full = "^(done$|NoSpace: .*No space left on device)";

    internal static TheoryData<string> Operations => [.. StoreOperation.Names];

    /// <summary>Nothing was lost, half-visible or left behind, and whoever waited was told by an exception of images.</summary>
    internal static void AssertSound(string[][] lines)
    {
        Assert.NotEmpty(lines);
        string[] wrong = [.. lines.Where(line => line.Length != 3 || line[2] != "nothing" || line[1].StartsWith("untyped", StringComparison.Ordinal) || line[1].StartsWith("exit code", StringComparison.Ordinal)).Select(line => string.Join('\t', line))];
        Assert.True(wrong.Length == 0, string.Join('\n', wrong));
    }

    internal static int Setting(string name, int otherwise) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? int.Parse(value, CultureInfo.InvariantCulture) : otherwise;
}
