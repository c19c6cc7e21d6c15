using System.Diagnostics;

namespace Isolation.Benchmarks;

/// <summary>Programs of this machine, started by Process.Start.</summary>
internal static class Tools
{
    internal static string? Find(string name)
    {
        string path = Environment.GetEnvironmentVariable("PATH") ?? "";
        return path.Split(':').Concat(["/usr/sbin", "/sbin"])
            .Where(directory => directory.Length > 0)
            .Select(directory => Path.Join(directory, name))
            .FirstOrDefault(File.Exists);
    }

    /// <summary>Starts, captures both streams as a container's are captured, and waits for the end.</summary>
    /// <exception cref="InvalidOperationException">It did not end with 0.</exception>
    internal static async Task RunCapturedAsync(string program, params IReadOnlyList<string> arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        await Task.WhenAll(output, error, process.WaitForExitAsync());
        if (process.ExitCode != 0) throw new InvalidOperationException($"exit code {process.ExitCode}: {(error.Result.Length > 0 ? error.Result : output.Result).Trim()}");
    }

    /// <summary>Starts with this process's own streams, and waits for the end.</summary>
    internal static async Task RunAsync(string program)
    {
        using Process process = Process.Start(new ProcessStartInfo(program))!;
        await process.WaitForExitAsync();
        if (process.ExitCode != 0) throw new InvalidOperationException($"exit code {process.ExitCode}");
    }

    /// <summary>The same, and blocks the calling thread for it.</summary>
    internal static Task RunBlocking(string program)
    {
        using Process process = Process.Start(new ProcessStartInfo(program))!;
        process.WaitForExit();
        return process.ExitCode == 0 ? Task.CompletedTask : throw new InvalidOperationException($"exit code {process.ExitCode}");
    }
}
