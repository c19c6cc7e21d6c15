using System.Diagnostics;

namespace Isolation.Benchmarks;

/// <summary>
/// crun refuses a machine that has control groups of version 1 and a version 2 hierarchy at <c>unified</c> beside them,
/// even when told to leave control groups alone. So the whole program is run again in a mount namespace of its own in
/// which that one mount is not seen: no entry is treated differently, and the machine is not changed.
/// </summary>
internal static class WithoutUnifiedHierarchy
{
    private const string Mount = "/sys/fs/cgroup/unified";
    private const string Done = "ISOLATION_BENCHMARK_WITHOUT_UNIFIED";

    internal static bool IsApplied => Environment.GetEnvironmentVariable(Done) is not null;

    internal static bool IsNeeded =>
        !IsApplied && Environment.IsPrivilegedProcess && Tools.Find("crun") is not null && Tools.Find("unshare") is not null
        && Machine.Read("/proc/self/mountinfo").Contains($" {Mount} ", StringComparison.Ordinal);

    internal static async Task<int> RunAgainAsync(string[] arguments)
    {
        string program = Environment.ProcessPath!;
        string[] command = Path.GetFileNameWithoutExtension(program) == "dotnet" ? [program, Environment.GetCommandLineArgs()[0]] : [program];
        ProcessStartInfo start = new("unshare", ["--mount", "--propagation", "private", "sh", "-c", $"umount {Mount} && exec \"$@\"", "sh", .. command, .. arguments]);
        start.Environment[Done] = "1";
        using Process process = Process.Start(start)!;
        await process.WaitForExitAsync();
        return process.ExitCode;
    }
}
