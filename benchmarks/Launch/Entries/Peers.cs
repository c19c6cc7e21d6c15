using System.Globalization;

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

    private static Entry Runtime(string name, string tool, string[] options, Bundle bundle) =>
        Of(name, tool, count => [.. options, "run", "--bundle", bundle.Path, string.Create(CultureInfo.InvariantCulture, $"isolation-benchmark-{Environment.ProcessId}-{count}")]);

    private static Entry Of(string name, string tool, Func<int, IReadOnlyList<string>> arguments)
    {
        if (Tools.Find(tool) is not { } path) return Entry.Missing(name, $"{tool} is not installed");
        int count = 0;
        return new Entry(name, () => Tools.RunCapturedAsync(path, arguments(count++)));
    }
}
