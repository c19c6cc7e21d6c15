using System.Diagnostics;
using System.Text;

namespace Isolation.Architecture.Tests;

internal sealed record CommandResult(string CommandLine, int ExitCode, string Output)
{
    public CommandResult EnsureSuccess()
    {
        Assert.True(ExitCode == 0, $"{CommandLine} ended with exit code {ExitCode}:\n{Output}");
        return this;
    }
}

internal static class Command
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(8);

    /// <summary>The global package folder of whoever runs the tests.</summary>
    public static string PackageFolder { get; } = Environment.GetEnvironmentVariable("NUGET_PACKAGES")
        ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");

    /// <summary>Runs one of dotnet's building commands without leaving a build server or a node behind.</summary>
    public static Task<CommandResult> DotnetAsync(
        string[] arguments, string directory, CancellationToken cancellationToken, params (string Name, string Value)[] environment) =>
        RunAsync("dotnet", [.. arguments, "--nologo", "-nodeReuse:false", "-p:UseSharedCompilation=false"], directory, cancellationToken,
            [("MSBUILDDISABLENODEREUSE", "1"), ("DOTNET_CLI_USE_MSBUILD_SERVER", "0"), ("DOTNET_CLI_UI_LANGUAGE", "en"), .. environment]);

    /// <summary>Runs a program to its end; its two streams are kept together. A program that takes too long is killed, its children too.</summary>
    public static async Task<CommandResult> RunAsync(
        string program, string[] arguments, string directory, CancellationToken cancellationToken, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = directory,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }

        var output = new StringBuilder();
        using var process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) => Append(line.Data);
        process.ErrorDataReceived += (_, line) => Append(line.Data);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Limit);
        process.Start();
        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        lock (output)
        {
            return new CommandResult($"{program} {string.Join(' ', arguments)}", process.ExitCode, output.ToString());
        }

        void Append(string? line)
        {
            lock (output)
            {
                _ = line is null ? output : output.Append(line).Append('\n');
            }
        }
    }
}
