using System.Globalization;

namespace Isolation.Live.Tests;

/// <summary>
/// The live suite runs as root and as an unprivileged user. A lane that is not what its name says
/// would pass for the wrong reason, so the lane itself is tested first.
/// </summary>
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

    private static Dictionary<string, string> ReadStatus() =>
        File.ReadLines("/proc/self/status")
            .Select(line => line.Split(':', 2))
            .ToDictionary(pair => pair[0], pair => pair[1].Trim());
}
