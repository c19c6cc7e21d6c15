using System.Diagnostics;
using Isolation.Nested;

namespace Isolation.Live.Tests;

/// <summary>A run of the nested program in which something fails or dies over and over, and the table that it writes.</summary>
internal static class FaultRun
{
    /// <summary>Runs it in a directory of its own, which becomes its state directory, to the end.</summary>
    /// <returns>The lines that it wrote, in columns, without the first where that is a head.</returns>
    internal static Task<string[][]> RunAsync(string mode, params string[] arguments) => RunAsync([NestedProgram.Path, mode, .. arguments]);

    /// <summary>As the other, in a mount namespace of its own, which takes with it what the program mounts.</summary>
    internal static Task<string[][]> RunInPrivateMountsAsync(params string[] arguments) => RunAsync(["unshare", "--mount", NestedProgram.Path, .. arguments]);

    private static async Task<string[][]> RunAsync(string[] words)
    {
        using TemporaryDirectory directory = new();
        File.SetUnixFileMode(directory.Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        using Process process = Sandbox.StartOnHost(words[0], [.. words[1..].Select(word => word == "<directory>" ? directory.Path : word)]);
        try
        {
            CancellationToken token = TestContext.Current.CancellationToken; // how long it takes no test says: each step has its own limit
            Task<string> error = process.StandardError.ReadToEndAsync(token);
            string output = await process.StandardOutput.ReadToEndAsync(token);
            await process.WaitForExitAsync(token);
            Assert.True(process.ExitCode == 0, $"{string.Join(' ', words)} ended with exit code {process.ExitCode}\n{output}\n{await error}");
            string[][] lines = [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t'))];
            Assert.NotEmpty(lines);
            return lines[0][0] == "number" ? lines[1..] : lines;
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
    }

    /// <summary>Nothing was left behind, and what came of each is that it was done, or one of these exceptions.</summary>
    internal static void AssertNothingIsLeft(string[][] lines, int outcome, params string[] exceptions)
    {
        Assert.NotEmpty(lines);
        string[] wrong = [.. lines.Where(line => line[outcome + 1] != "nothing" || !(line[outcome] == "done" || exceptions.Any(name => line[outcome].StartsWith(name + ":", StringComparison.Ordinal)))).Select(line => string.Join('\t', line))];
        Assert.True(wrong.Length == 0, string.Join('\n', wrong));
    }
}
