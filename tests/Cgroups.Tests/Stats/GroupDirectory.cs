using System.Runtime.InteropServices;
using Isolation.Linux;

namespace Isolation.Cgroups.Tests.Stats;

/// <summary>A directory that looks like a control group, removed with the test.</summary>
internal sealed class GroupDirectory : IDisposable
{
    private readonly string _path = Directory.CreateTempSubdirectory("isolation-test-").FullName;

    internal GroupDirectory(params (string Name, string Text)[] files)
    {
        Write("cgroup.procs", "");
        foreach ((string name, string text) in files) Write(name, text);
        Descriptor = FileDescriptor.Open(_path, Abi.O_RDONLY | TargetAbi.Current.O_DIRECTORY);
    }

    internal FileDescriptor Descriptor { get; }

    internal void Write(string name, string text) => File.WriteAllText(Path.Join(_path, name), text);

    internal void Delete(string name) => File.Delete(Path.Join(_path, name));

    internal (CgroupController, CgroupVersion, SafeHandle) As(CgroupController controller, CgroupVersion version) => (controller, version, Descriptor);

    public void Dispose()
    {
        Descriptor.Dispose();
        Directory.Delete(_path, recursive: true);
    }
}
