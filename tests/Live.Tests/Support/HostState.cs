namespace Isolation.Live.Tests;

/// <summary>What this process holds of the system: what it must hold again after a test that leaves nothing behind.</summary>
internal sealed record HostState(int Descriptors, int Children, string Mounts)
{
    internal static HostState Read()
    {
        // An image that a spec was made into is let go of with the spec.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return new(
            Directory.GetFileSystemEntries("/proc/self/fd").Length,
            Directory.GetDirectories("/proc/self/task").Sum(ChildrenOf),
            File.ReadAllText("/proc/self/mountinfo"));
    }

    // A thread may have ended since it was listed.
    private static int ChildrenOf(string task)
    {
        try
        {
            return File.ReadAllText(task + "/children").Split(' ', StringSplitOptions.RemoveEmptyEntries).Length;
        }
        catch (IOException)
        {
            return 0;
        }
    }

    internal static int Threads() => Directory.GetDirectories("/proc/self/task").Length;

    /// <summary>Waits for the state to be this again: some of what is let go of is let go of by other threads.</summary>
    internal async Task ReturnsAsync()
    {
        HostState now = Read();
        for (int i = 0; i < 500 && now != this; i++)
        {
            await Task.Delay(10, Sandbox.Token);
            now = Read();
        }

        Assert.Equal(this, now);
    }
}

/// <summary>Tests that count what the whole process holds: nothing else runs beside them.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
