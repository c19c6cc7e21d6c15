using System.Text.RegularExpressions;

namespace Isolation.Architecture.Tests;

/// <summary>The Quickstart, compiled ahead of time: no warning from the trimmer or the compiler, and it runs.</summary>
[Trait("Category", "Slow")]
[Collection(BuildingCollection.Name)]
public sealed partial class AheadOfTimeTests
{
    [Fact]
    public async Task The_quickstart_publishes_without_a_warning_and_runs()
    {
        CancellationToken cancellationToken = TestContext.Current.CancellationToken;
        string? linker = FindLinker();
        Assert.SkipWhen(linker is null, "neither clang nor gcc is on PATH: the ahead-of-time compiler has nothing to link with");

        DirectoryInfo folder = Directory.CreateTempSubdirectory("isolation-aot-");
        try
        {
            string output = Path.Combine(folder.FullName, "out");
            CommandResult publish = await Command.DotnetAsync(
                [
                    "publish", "samples/Quickstart/Quickstart.csproj", "-c", "Release", "-v", "minimal", "-o", output,
                    "--artifacts-path", Path.Combine(folder.FullName, "artifacts"),
                    "-p:PublishAot=true", "-p:TrimmerSingleWarn=false", $"-p:CppCompilerAndLinker={linker}",
                ],
                Repository.Root, cancellationToken);
            Assert.SkipWhen(
                publish.ExitCode != 0 && MissingCompiler().Match(publish.Output) is { Success: true },
                $"the ahead-of-time compiler's package is not served here: {MissingCompiler().Match(publish.Output).Value.Trim()}");
            Assert.Empty(AnalysisMessage().Matches(publish.Output).Select(match => match.Value));
            publish.EnsureSuccess();

            CommandResult run = await Command.RunAsync(Path.Combine(output, "Quickstart"), [], folder.FullName, cancellationToken);
            Assert.NotEqual("", run.EnsureSuccess().Output.Trim());
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static string? FindLinker() =>
        new[] { "clang", "gcc" }.FirstOrDefault(name =>
            (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, name))));

    [GeneratedRegex(@"^.*(?:warning|error) IL\d+.*$", RegexOptions.Multiline)]
    private static partial Regex AnalysisMessage();

    [GeneratedRegex(@"error NU1\d\d\d:.*ILCompiler.*$", RegexOptions.Multiline)]
    private static partial Regex MissingCompiler();
}
