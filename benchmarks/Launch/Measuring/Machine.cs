using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Isolation.Benchmarks;

/// <summary>The head of a report: on what, when, of which commit, by which command.</summary>
internal static class Machine
{
    internal static string RepositoryRoot { get; } = typeof(Machine).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == "RepositoryRoot").Value!;

    internal static void Describe(Report report, Options options)
    {
        report.Line("# Launch benchmarks");
        report.Line();
        report.Line(FormattableString.Invariant($"- date: {DateTime.UtcNow:yyyy-MM-dd HH:mm} UTC"));
        report.Line($"- commit: {Commit()}");
        report.Line($"- command: `dotnet run -c Release --project benchmarks/Launch -- {options.Line}`");
        report.Line($"- kernel: {Read("/proc/sys/kernel/osrelease")} ({RuntimeInformation.OSArchitecture})");
        report.Line($"- processors: {Environment.ProcessorCount} × {Processor()}");
        report.Line($"- runtime: {RuntimeInformation.FrameworkDescription}{(IsDebug() ? ", DEBUG BUILD: do not compare" : "")}");
        report.Line($"- load average at the start: {string.Join(' ', Read("/proc/loadavg").Split(' ').Take(3))}");
        report.Line($"- user: {(Environment.IsPrivilegedProcess ? "root" : "unprivileged")}");
        report.Line();
        report.Line("Only ratios taken within one table hold; a machine that is busy, shared or virtual drifts by more than most differences.");
        report.Line();
    }

    private static bool IsDebug() =>
        typeof(Machine).Assembly.GetCustomAttribute<DebuggableAttribute>() is { IsJITOptimizerDisabled: true };

    private static string Processor()
    {
        string? line = Read("/proc/cpuinfo").Split('\n').FirstOrDefault(text => text.StartsWith("model name", StringComparison.Ordinal));
        return line is null ? RuntimeInformation.ProcessArchitecture.ToString() : line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim();
    }

    private static string Commit()
    {
        string root = RepositoryRoot;
        string commit = Git(root, "rev-parse", "--short=12", "HEAD");
        if (commit.Length == 0) return "unknown";
        return commit + (Git(root, "status", "--porcelain", "--untracked-files=no").Length > 0 ? ", with changes" : "");
    }

    private static string Git(string root, params string[] arguments)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo("git", ["-C", root, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? output.Trim() : "";
        }
        catch (Win32Exception)
        {
            return "";
        }
    }

    internal static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path).Trim();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
