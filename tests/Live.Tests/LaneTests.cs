using System.Globalization;

namespace Isolation.Live.Tests;

/// <summary>
/// The live suite runs as root and as an unprivileged user. A lane that is not what its name says
/// would pass for the wrong reason, so the lane itself is tested first.
/// </summary>
[Trait("Lane", "VM")]
public sealed class LaneTests
{
    [Fact]
    public void The_process_holds_what_its_lane_says()
    {
        string? lane = Environment.GetEnvironmentVariable("ISOLATION_TEST_LANE");
        Assert.SkipWhen(lane is null, "ISOLATION_TEST_LANE is not set: started without test.sh, so there is no lane to check");

        Dictionary<string, string> status = ReadStatus();
        string[] uids = status["Uid"].Split('\t');
        if (lane == "root")
        {
            Assert.All(uids, uid => Assert.Equal("0", uid));
            return;
        }

        Assert.Equal("unprivileged", lane);
        Assert.All(uids, uid => Assert.NotEqual("0", uid));
        // Effective, permitted, inheritable, ambient: one bit in any of them and the lane proves nothing.
        foreach (string set in (string[])["CapEff", "CapPrm", "CapInh", "CapAmb"])
        {
            Assert.Equal(0UL, ulong.Parse(status[set], NumberStyles.HexNumber, CultureInfo.InvariantCulture));
        }
    }

    [Fact]
    public void The_kernel_is_the_one_that_its_lane_says_with_control_groups_v2_alone()
    {
        string? kernel = Environment.GetEnvironmentVariable("ISOLATION_TEST_KERNEL");
        Assert.SkipWhen(kernel is null, "virtual machine only: started on the machine's own kernel");

        Assert.StartsWith(kernel + ".", File.ReadAllText("/proc/sys/kernel/osrelease"), StringComparison.Ordinal);
        MountLine[] mounts = MountLine.Parse(File.ReadAllText("/proc/self/mountinfo"));
        Assert.Equal("cgroup2", MountLine.At(mounts, "/sys/fs/cgroup").Type);
        Assert.DoesNotContain(mounts, mount => mount.Type == "cgroup");
        // A test may have made a hierarchy of v1 that is mounted nowhere.
        string[] groups = [.. File.ReadAllLines("/proc/self/cgroup").Where(line => !line.EndsWith(":net_cls,net_prio:/", StringComparison.Ordinal))];
        Assert.Equal([Lane.IsRoot ? "0::/" : "0::/delegated/isolation-host"], groups);
    }

    private static Dictionary<string, string> ReadStatus() =>
        File.ReadLines("/proc/self/status")
            .Select(line => line.Split(':', 2))
            .ToDictionary(pair => pair[0], pair => pair[1].Trim());
}
