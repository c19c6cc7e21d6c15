using Isolation.Linux;

namespace Isolation.Cgroups.Tests;

/// <summary>A control group of the test's own, removed at its end.</summary>
internal sealed class TestGroup : IDisposable
{
    private static int _number;

    private TestGroup(string path)
    {
        Path = path;
        Directory.CreateDirectory(path);
        Descriptor = FileDescriptor.Open(path, Abi.O_RDONLY | TargetAbi.Current.O_DIRECTORY);
    }

    internal string Path { get; }

    internal FileDescriptor Descriptor { get; }

    internal static TestGroup OfV2() => Make(fields => fields.Contains("cgroup2"), "the v2 hierarchy");

    internal static TestGroup OfV1Devices() =>
        Make(fields => fields.Contains("cgroup") && fields[^1].Split(',').Contains("devices"), "the v1 controller devices");

    internal static TestGroup Below(TestGroup parent) => new(System.IO.Path.Combine(parent.Path, "child"));

    internal void Write(string file, string text) => File.WriteAllText(System.IO.Path.Combine(Path, file), text);

    public void Dispose()
    {
        Descriptor.Dispose();
        Delete(Path);
    }

    /// <summary>A process that has been killed leaves its group a moment after its parent knows.</summary>
    internal static void Delete(string path)
    {
        for (int tries = 0; Directory.Exists(path); tries++)
        {
            try
            {
                Directory.Delete(path);
            }
            catch (IOException) when (tries < 200)
            {
                Thread.Sleep(10);
            }
        }
    }

    private static TestGroup Make(Func<string[], bool> isWanted, string what)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Making control groups needs root.");
        string? mount = File.ReadLines("/proc/self/mountinfo").Select(line => line.Split(' ')).FirstOrDefault(isWanted)?[4];
        Assert.SkipWhen(mount is null, $"{what} is not mounted here.");
        return new TestGroup(System.IO.Path.Combine(mount, $"isolation-dev-{Environment.ProcessId}-{Interlocked.Increment(ref _number)}"));
    }
}
