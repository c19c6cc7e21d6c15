namespace Isolation.Architecture.Tests;

/// <summary>A short run of afl-fuzz(1) on everything that is parsed; <c>tests/Fuzz/run</c> makes longer ones.</summary>
[Trait("Category", "Slow")]
[Collection(BuildingCollection.Name)]
public sealed class FuzzingTests
{
    [Fact]
    public async Task A_few_seconds_of_each_target_find_nothing()
    {
        const int CannotBeDone = 77;

        CommandResult run = await Command.RunAsync("/bin/bash", ["tests/Fuzz/run", "5"], Repository.Root, TestContext.Current.CancellationToken);

        Assert.SkipWhen(run.ExitCode == CannotBeDone, run.Output.Trim().Split('\n')[^1]);
        Assert.True(run.ExitCode == 0, run.Output);
        foreach (string target in (string[])["json", "names", "tar", "unpack"]) Assert.Matches($@"(?m)^{target}: \d+ executions", run.Output);
    }
}
