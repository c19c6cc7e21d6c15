namespace Isolation.Live.Tests;

/// <summary>
/// What this process holds of the system, one by one: after a test that leaves nothing behind there may be nothing that was
/// not there before. What an earlier test left to the garbage collector may be gone.
/// </summary>
internal sealed class HostState
{
    private readonly string[] _descriptors, _children;
    private readonly string _mounts;

    private HostState()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        // The descriptor that was listed with has no target any more.
        _descriptors = [.. Directory.GetFileSystemEntries("/proc/self/fd").Select(entry => (Number: Path.GetFileName(entry), Target: new FileInfo(entry).LinkTarget))
            .Where(descriptor => descriptor.Target is not null && IsOurs(descriptor.Target)).Select(descriptor => $"{descriptor.Number} {descriptor.Target}")];
        _children = [.. Directory.GetDirectories("/proc/self/task").SelectMany(ChildrenOf)];
        _mounts = File.ReadAllText("/proc/self/mountinfo");
    }

    internal static HostState Read() => new();

    internal static int Threads() => Directory.GetDirectories("/proc/self/task").Length;

    /// <summary>Nothing has been made since, not even for a moment longer.</summary>
    internal void IsUnchanged() => Check(Read(), "");

    /// <summary>Waits until nothing is left: some of what is let go of is let go of by other threads.</summary>
    /// <param name="about">What to tell beside what is left.</param>
    internal async Task ReturnsAsync(string about = "")
    {
        HostState now = Read();
        for (int i = 0; i < 500 && !Holds(now); i++)
        {
            await Task.Delay(10, Sandbox.Token);
            now = Read();
        }

        Check(now, about);
    }

    private bool Holds(HostState now) => !now._descriptors.Except(_descriptors).Any() && !now._children.Except(_children).Any() && now._mounts == _mounts;

    private void Check(HostState now, string about) => Assert.True(Holds(now),
        $"new descriptors: {string.Join(", ", now._descriptors.Except(_descriptors))}; new children: {string.Join(", ", now._children.Except(_children))}; mounts before:\n{_mounts}\nand now:\n{now._mounts}\n{about}");

    // A bounded number of images is kept for launches to come, whatever this test does (see ImageCacheTests).
    // And the runtime keeps an assembly open once it has loaded it.
    private static bool IsOurs(string target) => !target.StartsWith("/memfd:isolation", StringComparison.Ordinal) && !target.EndsWith(".dll", StringComparison.Ordinal);

    // A thread may have ended since it was listed.
    private static string[] ChildrenOf(string task)
    {
        try
        {
            return File.ReadAllText(task + "/children").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        }
        catch (IOException)
        {
            return [];
        }
    }
}

/// <summary>Tests that count what the whole process holds: nothing else runs beside them.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
