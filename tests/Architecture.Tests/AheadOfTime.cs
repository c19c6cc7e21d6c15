using System.Text.RegularExpressions;

namespace Isolation.Architecture.Tests;

/// <summary>Publishes with NativeAOT. A warning of the trimmer or the compiler is a failure; without a linker, or the compiler's package, the test skips.</summary>
internal static partial class AheadOfTime
{
    /// <param name="project">Relative to the repository.</param>
    /// <param name="folder">What is built lies in it.</param>
    /// <returns>Where the program is.</returns>
    internal static async Task<string> PublishAsync(string project, string folder)
    {
        string? linker = FindLinker();
        Assert.SkipWhen(linker is null, "neither clang nor gcc is on PATH: the ahead-of-time compiler has nothing to link with");
        string output = Path.Combine(folder, "out");
        CommandResult publish = await Command.DotnetAsync(
            [
                "publish", project, "-c", "Release", "-v", "minimal", "-o", output,
                "--artifacts-path", Path.Combine(folder, "artifacts"),
                "-p:PublishAot=true", "-p:TrimmerSingleWarn=false", $"-p:CppCompilerAndLinker={linker}",
            ],
            Repository.Root, TestContext.Current.CancellationToken);
        Assert.SkipWhen(
            publish.ExitCode != 0 && MissingCompiler().Match(publish.Output) is { Success: true },
            $"the ahead-of-time compiler's package is not served here: {MissingCompiler().Match(publish.Output).Value.Trim()}");
        Assert.Empty(AnalysisMessage().Matches(publish.Output).Select(match => match.Value));
        publish.EnsureSuccess();
        return output;
    }

    private static string? FindLinker() =>
        new[] { "clang", "gcc" }.FirstOrDefault(name =>
            (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, name))));

    [GeneratedRegex(@"^.*(?:warning|error) IL\d+.*$", RegexOptions.Multiline)]
    private static partial Regex AnalysisMessage();

    [GeneratedRegex(@"error NU1\d\d\d:.*ILCompiler.*$", RegexOptions.Multiline)]
    private static partial Regex MissingCompiler();
}
