using System.Diagnostics;
using System.Globalization;

namespace Isolation.Benchmarks;

/// <summary>
/// One sleeping container in each runtime that is installed, to execute something in. Docker gets a daemon of its own
/// with a socket and data of its own, and no network. All of it ends on disposal.
/// </summary>
internal sealed class RuntimeContainers(BusyboxRoot root) : IAsyncDisposable
{
    private readonly List<Func<Task>> _ends = [];

    internal async Task<List<Entry>> EntriesAsync() =>
    [
        await RuntimeAsync("crun exec, no cgroups", "crun", ["--cgroup-manager=disabled", "--root", root.Scratch("crun")]),
        await RuntimeAsync("runc exec", "runc", ["--root", root.Scratch("runc")]),
        await DockerAsync(),
    ];

    public async ValueTask DisposeAsync()
    {
        foreach (Func<Task> end in Enumerable.Reverse(_ends)) await end();
    }

    private async Task<Entry> RuntimeAsync(string name, string tool, string[] options)
    {
        if (Tools.Find(tool) is not { } path) return Entry.Missing(name, $"{tool} is not installed");
        string id = string.Create(CultureInfo.InvariantCulture, $"isolation-benchmark-exec-{Environment.ProcessId}");
        Bundle bundle = new(root, "/bin/sleep", "1000000");
        try
        {
            await RunUncapturedAsync(path, [.. options, "run", "--detach", "--bundle", bundle.Path, id]);
            _ends.Add(() => Tools.RunCapturedAsync(path, [.. options, "delete", "--force", id]));
            return new Entry(name, () => Tools.RunCapturedAsync(path, [.. options, "exec", id, "/bin/true"]));
        }
        catch (InvalidOperationException exception)
        {
            return Entry.Missing(name, exception.Message);
        }
    }

    private async Task<Entry> DockerAsync()
    {
        const string name = "docker exec";
        string scratch = root.Scratch("docker");
        try
        {
            DockerDaemon docker = await DockerDaemon.StartAsync(scratch);
            _ends.Add(async () => await docker.DisposeAsync());
            string archive = Path.Join(scratch, "root.tar");
            await RunUncapturedAsync("tar", ["-C", root.Path, "-cf", archive, "."]);
            await docker.RunAsync("import", archive, "busybox:benchmark");
            await docker.RunAsync("run", "--detach", "--network", "none", "--name", "sleeper", "busybox:benchmark", "/bin/sleep", "1000000");
            _ends.Add(() => docker.RunAsync("rm", "--force", "sleeper"));
            return new Entry(name, () => docker.RunAsync("exec", "sleeper", "/bin/true"));
        }
        catch (InvalidOperationException exception)
        {
            return Entry.Missing(name, exception.Message.ReplaceLineEndings(" "));
        }
    }

    /// <summary>For what leaves a process behind that would keep a pipe open.</summary>
    private static async Task RunUncapturedAsync(string program, IReadOnlyList<string> arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments))!;
        await process.WaitForExitAsync();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{program} ended with {process.ExitCode}");
    }
}
