using System.Diagnostics;

namespace Isolation.Live.Tests;

/// <summary>The tools of the field, each with all that it keeps in one directory of ours. Disposed, none of their processes and mounts is left.</summary>
internal sealed class ImageTools : IAsyncDisposable
{
    private const string Docker = "/usr/bin/docker"; // Debian's, of the same version as its daemon
    // Podman refuses a runroot of more than 50 characters, and buildah takes no capital letter in the path of a layout.
    private readonly TemporaryDirectory _directory = new("/tmp");
    private readonly List<string> _mounts = [];
    private readonly HashSet<string> _storages = [];
    private Process? _daemon;
    private Task? _log;

    internal string this[string name] => _directory[name];

    internal static void Require(string tool)
    {
        Lane.RequiresRoot("owners and devices are compared");
        string path = tool == "docker" ? "/usr/sbin/dockerd" : $"/usr/bin/{tool}";
        Assert.SkipUnless(File.Exists(path), $"there is no {path}: install {(tool == "docker" ? "docker.io" : tool)}");
        Assert.SkipUnless(File.Exists("/bin/busybox"), "there is no /bin/busybox: install busybox-static");
    }

    internal static async Task<string> RunAsync(string program, params string[] arguments)
    {
        (int code, string output, string error) = await Sandbox.OnHostAsync(program, arguments);
        Assert.True(code == 0, $"{program} {string.Join(' ', arguments)}: {error}");
        return output.Trim();
    }

    internal Task<string> PodmanAsync(params string[] arguments) => ContainersAsync("podman", ["--tmpdir", _directory.MakeDirectory("libpod"), "--events-backend", "none", "--cgroup-manager", "cgroupfs", .. arguments]);

    internal Task<string> BuildahAsync(params string[] arguments) => ContainersAsync("buildah", arguments);

    internal async Task<string> DockerAsync(params string[] arguments)
    {
        await StartDaemonAsync();
        return await RunAsync(Docker, ["-H", Socket, .. arguments]);
    }

    /// <summary>Where the daemon's image can be seen: it mounts one only for a container that runs.</summary>
    internal async Task<string> MountDockerAsync(string image)
    {
        string format = "{{.GraphDriver.Name}}|{{.GraphDriver.Data.UpperDir}}|{{with index .GraphDriver.Data \"LowerDir\"}}{{.}}{{end}}";
        string[] parts = (await DockerAsync("image", "inspect", "--format", format, image)).Split('|');
        Assert.SkipUnless(parts[0] == "overlay2", $"the daemon keeps layers by {parts[0]}: where it shows an image is not known");
        return parts[2] == "" ? parts[1] : await MountAsync($"{parts[1]}:{parts[2]}");
    }

    /// <param name="lower">From the topmost to the lowest.</param>
    private async Task<string> MountAsync(string lower)
    {
        string target = _directory.MakeDirectory($"mount{_mounts.Count}");
        await RunAsync("mount", "-t", "overlay", "-o", $"ro,lowerdir={lower}", "overlay", target);
        _mounts.Add(target);
        return target;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (string mount in _mounts) await RunAsync("umount", mount);
        if (_daemon is { } daemon)
        {
            await RunAsync("kill", $"{daemon.Id}"); // SIGTERM: it ends its containerd with it
            await daemon.WaitForExitAsync(Sandbox.Token);
            await _log!;
            daemon.Dispose();
        }

        foreach (string tool in _storages)
        {
            (int code, _, string error) = tool == "podman" ? await Sandbox.OnHostAsync("podman", [.. Storage, "image", "unmount", "--all", "--force"]) : await Sandbox.OnHostAsync("buildah", [.. Storage, "rm", "--all"]);
            Assert.True(code == 0, error);
        }

        // What the tools bound onto itself is let go of; what they mounted for good is theirs to unmount.
        foreach (string line in await File.ReadAllLinesAsync("/proc/self/mountinfo", Sandbox.Token))
            if (line.Split(' ')[4].StartsWith(_directory.Path + "/", StringComparison.Ordinal)) await Sandbox.OnHostAsync("umount", "-l", line.Split(' ')[4]);
        await RunAsync("rm", "-rf", "--one-file-system", _directory.Path);
    }

    private string[] Storage => ["--root", _directory["storage"], "--runroot", _directory["run"], "--storage-driver", IsOverlay ? "vfs" : "overlay"];

    /// <summary>Whether the directory is on a union itself, as in a container: upon that there is no other.</summary>
    private bool IsOverlay => new DriveInfo(_directory.Path).DriveFormat.StartsWith("overlay", StringComparison.Ordinal);

    private string Socket => $"unix://{_directory["socket"]}";

    private Task<string> ContainersAsync(string tool, string[] arguments)
    {
        _storages.Add(tool);
        return RunAsync(tool, [.. Storage, .. arguments]);
    }

    private async Task StartDaemonAsync()
    {
        if (_daemon is not null) return;
        ProcessStartInfo start = new("/usr/sbin/dockerd", ["-H", Socket, "--iptables=false", "--ip6tables=false", "--bridge=none", "--data-root", _directory["docker"], "--exec-root", _directory["exec"], "--pidfile", _directory["pid"]]) { RedirectStandardError = true };
        _daemon = Process.Start(start)!;
        List<string> log = [];
        _log = Task.Run(async () =>
        {
            while (await _daemon.StandardError.ReadLineAsync() is { } line) lock (log) log.Add(line);
        });
        while ((await Sandbox.OnHostAsync(Docker, "-H", Socket, "version")).ExitCode != 0)
        {
            Assert.SkipWhen(_daemon.HasExited, $"dockerd does not run here: {log.LastOrDefault()}");
            await Task.Delay(200, Sandbox.Token);
        }
    }
}
