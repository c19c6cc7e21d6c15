using System.Diagnostics;
using System.Runtime.InteropServices;
using Isolation.Linux;

namespace Isolation.Cgroups.Tests.Stats;

/// <summary>A group in the hierarchies of this machine, named after this process, and removed with the test.</summary>
internal sealed class V1Group : IDisposable
{
    private const string Root = "/sys/fs/cgroup";
    private static int _number;

    private readonly List<(CgroupController Controller, string Path, FileDescriptor Descriptor)> _places = [];

    private V1Group(CgroupController[] controllers)
    {
        string name = $"isolation-stats-{Environment.ProcessId}-{Interlocked.Increment(ref _number)}";
        foreach (CgroupController controller in controllers)
        {
            string path = Path.Join(Root, ControllerName.V1(controller), name);
            Directory.CreateDirectory(path);
            _places.Add((controller, path, FileDescriptor.Open(path, Abi.O_RDONLY | TargetAbi.Current.O_DIRECTORY)));
        }
    }

    /// <summary>Skips the test where such a group cannot be made.</summary>
    internal static V1Group Make(params CgroupController[] controllers)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "control groups are made as root");
        foreach (CgroupController controller in controllers)
        {
            string path = Path.Join(Root, ControllerName.V1(controller));
            Assert.SkipUnless(File.ReadLines("/proc/self/mounts").Any(line => line.Split(' ') is [_, var place, "cgroup", ..] && place == path), $"no v1 hierarchy is mounted at {path}");
        }

        return new V1Group(controllers);
    }

    internal IReadOnlyList<(CgroupController, CgroupVersion, SafeHandle)> Directories => [.. _places.Select(place => (place.Controller, CgroupVersion.V1, (SafeHandle)place.Descriptor))];

    internal void Write(CgroupController controller, string file, string text) => File.WriteAllText(Path.Join(_places.Single(place => place.Controller == controller).Path, file), text);

    internal string Read(CgroupController controller, string file) => File.ReadAllText(Path.Join(_places.Single(place => place.Controller == controller).Path, file));

    /// <summary>A shell script in the group, from its first instruction on.</summary>
    internal Process Start(string script)
    {
        string join = string.Concat(_places.Select(place => $"echo $$ > {place.Path}/cgroup.procs; "));
        return Process.Start(new ProcessStartInfo("/bin/sh", ["-c", join + script]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
    }

    internal void Run(string script)
    {
        using Process process = Start(script);
        process.WaitForExit();
    }

    internal void Remove()
    {
        foreach ((_, string path, _) in _places) TestGroup.Delete(path);
    }

    public void Dispose()
    {
        Remove();
        foreach ((_, _, FileDescriptor descriptor) in _places) descriptor.Dispose();
    }
}
