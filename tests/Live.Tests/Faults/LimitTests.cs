using System.Globalization;

namespace Isolation.Live.Tests;

/// <summary>
/// A limit of the kernel's is reached in the middle of launches: the failure says which, nothing is left of it, and once
/// some containers are gone the next launch works.
/// </summary>
[Collection(nameof(Alone))]
public sealed class LimitTests
{
    [Fact]
    public async Task Of_descriptors() => AssertLimit(await FaultRun.RunAsync("limit", "<directory>", "descriptors", "0"), "RLIMIT_NOFILE");

    [Fact]
    public async Task Of_processes()
    {
        Lane.RequiresUnprivileged("root is exempt from the limit of processes (setrlimit(2), RLIMIT_NPROC)");

        // The kernel counts the threads of all this user's processes.
        int running = Directory.GetDirectories("/proc").Where(directory => char.IsAsciiDigit(Path.GetFileName(directory)[0])).Sum(ThreadsOfThisUser);
        AssertLimit(await FaultRun.RunAsync("limit", "<directory>", "processes", (running + 60).ToString(CultureInfo.InvariantCulture)), "RLIMIT_NPROC");
    }

    private static void AssertLimit(string[][] lines, string limit)
    {
        Assert.Equal(8, lines.Length);
        Assert.All(lines, line =>
        {
            Assert.StartsWith(nameof(ContainerErrorReason.ResourceLimit), line[1], StringComparison.Ordinal);
            Assert.Contains(limit, line[1], StringComparison.Ordinal);
            Assert.Equal("nothing", line[2]);
            Assert.NotEqual("0", line[0]);
        });
    }

    private static int ThreadsOfThisUser(string process)
    {
        try
        {
            Dictionary<string, string> status = Processes.Status(File.ReadAllText(process + "/status"));
            return status["Uid"].Split('\t')[0] == HostFactsReader.Current.UserId.ToString(CultureInfo.InvariantCulture) ? int.Parse(status["Threads"], CultureInfo.InvariantCulture) : 0;
        }
        catch (IOException)
        {
            return 0; // it has ended
        }
    }
}
