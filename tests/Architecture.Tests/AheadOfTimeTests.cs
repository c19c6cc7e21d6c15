namespace Isolation.Architecture.Tests;

/// <summary>The Quickstart, compiled ahead of time: no warning from the trimmer or the compiler, and it runs.</summary>
[Trait("Category", "Slow")]
[Collection(BuildingCollection.Name)]
public sealed class AheadOfTimeTests
{
    [Fact]
    public async Task The_quickstart_publishes_without_a_warning_and_runs()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("isolation-aot-");
        try
        {
            string output = await AheadOfTime.PublishAsync("samples/Quickstart/Quickstart.csproj", folder.FullName);

            CommandResult run = await Command.RunAsync(Path.Combine(output, "Quickstart"), [], folder.FullName, TestContext.Current.CancellationToken);
            Assert.NotEqual("", run.EnsureSuccess().Output.Trim());
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
