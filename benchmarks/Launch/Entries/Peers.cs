using System.Globalization;
using System.Text.Json.Nodes;
using Isolation.Cgroups;

namespace Isolation.Benchmarks;

/// <summary>Other programs that do the same, each as near to the headline as its options allow.</summary>
internal static class Peers
{
    internal static IEnumerable<Entry> All(BusyboxRoot root)
    {
        yield return Of("unshare -muinpf --root", "unshare", _ => ["-muinpf", "--root=" + root.Path, "/bin/true"]);
        string[] bubblewrap =
        [
            "--unshare-all", "--die-with-parent", "--new-session", "--ro-bind", root.Path, "/", "--proc", "/proc", "--dev", "/dev",
            "--ro-bind", "/sys", "/sys", "--tmpfs", "/tmp", "--tmpfs", "/run",
        ];
        yield return Of("bwrap --unshare-all --as-pid-1", "bwrap", _ => [.. bubblewrap, "--as-pid-1", "/bin/true"]);
        yield return Of("bwrap --unshare-all", "bwrap", _ => [.. bubblewrap, "/bin/true"]);
        Bundle bundle = new(root);
        yield return Runtime("crun run, no cgroups", "crun", ["--cgroup-manager=disabled", "--root", root.Scratch("crun")], bundle);
        yield return Runtime("runc run", "runc", ["--root", root.Scratch("runc")], bundle);
    }

    /// <summary>The runtimes with their control groups, without limits and with those of memory, processors and processes.</summary>
    internal static IEnumerable<(Entry Without, Entry With)> Limited(BusyboxRoot root, ResourceLimits limits)
    {
        JsonObject resources = new()
        {
            ["memory"] = new JsonObject { ["limit"] = limits.Memory },
            ["cpu"] = new JsonObject { ["quota"] = (long)(limits.Cpus!.Value * 100_000), ["period"] = 100_000 },
            ["pids"] = new JsonObject { ["limit"] = limits.Pids },
        };
        Bundle plain = new(root), limited = new(root, resources);
        yield return (Runtime("crun run, no cgroups", "crun", ["--cgroup-manager=disabled", "--root", root.Scratch("crun")], plain), Runtime("crun run with limits", "crun", ["--cgroup-manager=cgroupfs", "--root", root.Scratch("crun-limits")], limited));
        yield return (Runtime("runc run", "runc", ["--root", root.Scratch("runc")], plain), Runtime("runc run with limits", "runc", ["--root", root.Scratch("runc-limits")], limited));
    }

    private static Entry Runtime(string name, string tool, string[] options, Bundle bundle) =>
        Of(name, tool, count => [.. options, "run", "--bundle", bundle.Path, string.Create(CultureInfo.InvariantCulture, $"isolation-benchmark-{Environment.ProcessId}-{count}")]);

    private static Entry Of(string name, string tool, Func<int, IReadOnlyList<string>> arguments)
    {
        if (Tools.Find(tool) is not { } path) return Entry.Missing(name, $"{tool} is not installed");
        int count = 0;
        return new Entry(name, () => Tools.RunCapturedAsync(path, arguments(count++)));
    }
}
