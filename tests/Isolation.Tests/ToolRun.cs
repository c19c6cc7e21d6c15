using System.ComponentModel;
using System.Diagnostics;

namespace Isolation.Tests;

/// <summary>A program that was run to its end.</summary>
internal sealed record ToolRun(int ExitCode, byte[] Output, string Errors)
{
    private const int ETXTBSY = 26;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    internal string Text => System.Text.Encoding.UTF8.GetString(Output);

    /// <summary>Runs a tool that this machine may lack; the test is skipped, with the name of the package, where it does.</summary>
    internal static ToolRun OfTool(string tool, string package, params string[] arguments)
    {
        try
        {
            ToolRun run = Of(tool, arguments);
            Assert.True(run.ExitCode == 0, $"{tool} {string.Join(' ', arguments)} ended with {run.ExitCode}: {run.Errors}{run.Text}");
            return run;
        }
        catch (Win32Exception exception) when (exception.NativeErrorCode == 2)
        {
            Assert.Skip($"{tool} is not installed (Debian: {package}).");
            throw;
        }
    }

    internal static ToolRun Of(string program, string[] arguments, byte[]? input = null)
    {
        ProcessStartInfo start = new(program, arguments)
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, Environment = { ["LC_ALL"] = "C" },
        };
        using Process process = Start(start);
        using CancellationTokenSource limit = new(Limit);
        using CancellationTokenRegistration kill = limit.Token.Register(() => process.Kill(entireProcessTree: true));
        Task<string> errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
        using MemoryStream output = new();
        Task copy = process.StandardOutput.BaseStream.CopyToAsync(output, CancellationToken.None);
        process.StandardInput.BaseStream.Write(input ?? []);
        process.StandardInput.Close();
        Task.WaitAll([copy, errors], CancellationToken.None);
        process.WaitForExit();
        Assert.False(limit.IsCancellationRequested, $"{program} did not end within {Limit}.");
        return new(process.ExitCode, output.ToArray(), errors.Result);
    }

    // A program that was just written is busy while another thread's fork holds the descriptor it was written through.
    private static Process Start(ProcessStartInfo start)
    {
        for (int attempt = 0; ; attempt++)
        {
            try
            {
                return Process.Start(start)!;
            }
            catch (Win32Exception exception) when (exception.NativeErrorCode == ETXTBSY && attempt < 100)
            {
                Thread.Sleep(10);
            }
        }
    }
}
