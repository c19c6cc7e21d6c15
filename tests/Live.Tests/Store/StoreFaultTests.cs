using System.Globalization;
using Isolation.Linux;
using Isolation.Nested;

namespace Isolation.Live.Tests;

/// <summary>
/// What is done with a store of images is cut short, at one step after the other: by a call that fails, by SIGKILL, by the loss of
/// power. Opened again it has all that was promised, nothing half-visible, and nothing that nobody needs. See
/// <c>docs/decisions/0018-a-store-is-cut-at-every-step.md</c>.
/// </summary>
[Collection(nameof(Alone))]
public sealed class StoreFaultTests
{
    public static TheoryData<string> Operations => StoreRun.Operations;

    public static TheoryData<string, string> Failures => [.. StoreOperation.Names.SelectMany(operation => new[] { Errno.ENOSPC, Errno.EIO }.Where(errno => FaultScope.IsAll || errno == Errno.ENOSPC).Select(errno => (operation, errno.ToString())))];

    [Theory, MemberData(nameof(Failures))]
    [Trait("Category", "Slow")]
    public async Task By_a_call_that_fails(string operation, string errno)
    {
        string[][] lines = await FaultRun.RunAsync("store", "fail", "<directory>", operation, errno, FaultScope.IsAll ? StoreRun.Cuts : "12");

        StoreRun.AssertSound(lines);
        Assert.Equal("done", lines[^1][1]); // the last is beyond the last call
        Assert.Contains(lines, line => line[1] != "done");
        if (errno == nameof(Errno.ENOSPC)) Assert.All(lines, line => Assert.Matches(StoreRun.Full, line[1]));
    }

    [Theory, MemberData(nameof(Operations))]
    [Trait("Category", "Slow")]
    public async Task By_death(string operation)
    {
        string[][] lines = await FaultRun.RunAsync("store", "kill", "<directory>", operation, StoreRun.EachCall, StoreRun.Cuts);

        StoreRun.AssertSound(lines);
        Assert.Contains(lines, line => line[1] == "killed");
        Assert.Contains(lines, line => line[1].StartsWith("done after", StringComparison.Ordinal));
    }

    [Theory, MemberData(nameof(Operations))]
    [Trait("Category", "Slow")]
    public async Task By_the_loss_of_power(string operation)
    {
        Lane.RequiresRoot("only root mounts a file system of a loop device");
        Assert.SkipUnless(File.Exists("/sbin/mkfs.ext4"), "there is no mkfs.ext4: install e2fsprogs");

        string[][] lines = await FaultRun.RunInPrivateMountsAsync("store", "power", "<directory>", operation, StoreRun.EachCall, StoreRun.Cuts);

        Assert.StartsWith("control", lines[0][0], StringComparison.Ordinal);
        StoreRun.AssertSound(lines);
        Assert.Contains(lines, line => line[1] != "done" && line[1].Length > 0);
        Assert.Equal("done", lines[^1][1]);
    }

    [Fact]
    [Trait("Category", "Slow")]
    public async Task By_death_at_random_moments_of_several_programs_at_once()
    {
        int kills = StoreRun.Setting("ISOLATION_KILLS", 6), seed = StoreRun.Setting("ISOLATION_KILLS_SEED", Random.Shared.Next(1_000_000_000));

        string[][] lines = await FaultRun.RunAsync("store", "churn", "<directory>", kills.ToString(CultureInfo.InvariantCulture), seed.ToString(CultureInfo.InvariantCulture));

        Assert.Equal(kills, lines.Length);
        StoreRun.AssertSound(lines);
    }

    [Theory, MemberData(nameof(Operations))]
    [Trait("Category", "Slow")]
    public async Task By_a_file_system_that_is_full_page_by_page_and_inode_by_inode(string operation)
    {
        // In a container, where anybody may mount a small file system.
        ContainerResult result = await NestedProgram.Container("store", "full", "/data", operation)
            .WithTmpfs("/data", new TmpfsOptions { SizeBytes = 1 << 20, Inodes = 400 }).RunAsync(TestContext.Current.CancellationToken); // how long it takes no test says

        string[][] lines = [.. Sandbox.Output(result).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t'))];
        StoreRun.AssertSound(lines);
        Assert.All(lines, line => Assert.Matches(StoreRun.Full, line[1]));
        Assert.Equal(2, lines.Count(line => line[1] == "done"));
    }
}
