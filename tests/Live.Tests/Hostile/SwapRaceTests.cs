using Isolation.Linux;

namespace Isolation.Live.Tests;

/// <summary>CVE-2021-30465 and its like: a mount target that is a directory when it is looked at and a link when it is used.</summary>
public sealed class SwapRaceTests
{
    private const int Launches = 300;

    [Theory]
    [InlineData(RootAccess.ReadWrite)]
    [InlineData(RootAccess.Layered)]
    public async Task Swapping_a_directory_for_a_link_leads_nowhere(RootAccess access)
    {
        using TestRoot root = new();
        using TemporaryDirectory host = new(), bound = new();
        host.Write("directory/canary", "host");
        host.MakeDirectory("directory/below");
        Directory.Delete(root["data"]);
        root.MakeDirectory("data/below");
        File.CreateSymbolicLink(root["link"], string.Concat(Enumerable.Repeat("../", 20)) + host["directory"][1..]);
        string[] before = TreeSnapshot.Of(host.Path);
        using CancellationTokenSource stop = new();
        Thread swapper = new(() => Swap(root, stop.Token));
        swapper.Start();
        int started = 0, refused = 0;
        try
        {
            await Parallel.ForAsync(0, Launches, new ParallelOptions { MaxDegreeOfParallelism = 4, CancellationToken = Sandbox.Token }, async (_, cancel) =>
            {
                try
                {
                    await root.Shell("touch /data/below/evil /data/evil; true", access).WithBind(bound.Path, "/data/below").RunAsync(cancel);
                    Interlocked.Increment(ref started);
                }
                catch (ContainerException)
                {
                    Interlocked.Increment(ref refused);
                }
            });
        }
        finally
        {
            await stop.CancelAsync();
            swapper.Join();
        }

        Assert.Equal(before, TreeSnapshot.Of(host.Path));
        Assert.Equal(Launches, started + refused);
        Assert.True(started > 0, $"none of {Launches} launches got through");
    }

    // In one step, so that the name is never free.
    private static unsafe void Swap(TestRoot root, CancellationToken stop)
    {
        const int RENAME_EXCHANGE = 2;
        fixed (byte* data = System.Text.Encoding.UTF8.GetBytes(root["data"] + "\0"), link = System.Text.Encoding.UTF8.GetBytes(root["link"] + "\0"))
            while (!stop.IsCancellationRequested)
                Syscall.Invoke(SystemCall.renameat2, Abi.AT_FDCWD, (nint)data, Abi.AT_FDCWD, (nint)link, RENAME_EXCHANGE);
    }
}
