namespace Isolation.Live.Tests;

/// <summary>How much of the fault tests is run: a part that takes a few minutes, or with <c>ISOLATION_FAULTS=all</c> all of it.</summary>
internal static class FaultScope
{
    internal static bool IsAll { get; } = Environment.GetEnvironmentVariable("ISOLATION_FAULTS") == "all";

    internal static IEnumerable<string> Deaths(IEnumerable<string> all) => all.Where(scenario => IsAll || scenario is "run" or "exec" or "recover" or "limits");
}
