using System.Diagnostics;
using System.Globalization;

namespace Isolation.Nested;

/// <summary>Programs that are killed in the middle of an operation on a store, each before another call, and a line for each: what they left.</summary>
internal static class StoreKiller
{
    internal static async Task<int> RunAsync(string directory, string name, bool all, int most)
    {
        string sources = Directory.CreateDirectory(Path.Join(directory, "sources")).FullName, before = Path.Join(directory, "before");
        StoreOperation operation = new(name, sources);
        await operation.PrepareAsync(before);
        await CopyAsync(before, Path.Join(directory, "count"));
        int count = await StoreCuts.CountAsync(all, () => operation.RunAsync(Path.Join(directory, "count")));
        await Parallel.ForEachAsync(StoreCuts.Numbers(count, most), new ParallelOptions { MaxDegreeOfParallelism = 2 }, async (number, _) =>
        {
            string store = Path.Join(directory, number.ToString(CultureInfo.InvariantCulture));
            await CopyAsync(before, store);
            using Process victim = Start("die", name, sources, store, all.ToString(), number.ToString(CultureInfo.InvariantCulture));
            string output = await victim.StandardOutput.ReadToEndAsync(CancellationToken.None), error = await victim.StandardError.ReadToEndAsync(CancellationToken.None);
            await victim.WaitForExitAsync(CancellationToken.None);
            string outcome = victim.ExitCode switch { 137 => "killed", 0 => $"done after {output.Trim()} of {count}", int code => $"exit code {code}: {error}" };
            StoreCuts.Report(name, number, outcome, await StoreCheck.AsWasAsync(operation, store, victim.ExitCode == 0));
        });
        return 0;
    }

    internal static Process Start(params string[] words)
    {
        ProcessStartInfo start = new(NestedProgram.Path, ["store", .. words]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["DOTNET_TieredPGO"] = "0";
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        return Process.Start(start)!;
    }

    /// <summary>Nothing where there is none.</summary>
    internal static async Task CopyAsync(string from, string to)
    {
        if (!Directory.Exists(from)) return;
        await ToolAsync("cp", "-a", from, to);
    }

    internal static async Task ToolAsync(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        string error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: {error}");
    }
}
