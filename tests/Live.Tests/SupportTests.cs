using Isolation.Nested;

namespace Isolation.Live.Tests;

/// <summary>What the host can do is found out by doing it.</summary>
public sealed class SupportTests
{
    private static readonly string[] Features =
    [
        "kernel", "user namespace", "pid namespace", "network namespace", "ipc namespace", "mount namespace", "uts namespace", "cgroup namespace", "time namespace",
        "containers", "private /proc", "private layer over the host's files", "union of layers", "openat2", "mount_setattr", "landlock", "close_range with CLOEXEC", "subordinate ids",
    ];

    [Fact]
    public async Task On_a_machine_that_has_everything_everything_is_there()
    {
        IsolationSupport support = await IsolationSupport.ProbeAsync(TestContext.Current.CancellationToken);

        Assert.Equal(Features, support.Entries.Select(entry => entry.Feature));
        Assert.True(support.CanRunContainers);

        // Root of the test machine may have no ranges of subordinate ids; the test user has.
        Assert.All(support.Entries.Where(entry => entry.Feature != "subordinate ids" || !Lane.IsRoot), entry => Assert.True(entry.IsAvailable, entry.ToString()));
        Assert.All(support.Entries, entry => Assert.True(entry.Reason.Length > 0));
        Assert.All(support.Entries.Where(entry => entry.IsAvailable), entry => Assert.Null(entry.Remedy));
    }

    [Fact]
    public void A_feature_that_there_is_none_of_is_told_with_those_there_are()
    {
        KeyNotFoundException exception = Assert.Throws<KeyNotFoundException>(() => IsolationSupport.Probe()["teleport"]);

        Assert.Contains("'teleport'", exception.Message, StringComparison.Ordinal);
        Assert.Contains("user namespace", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_user_namespaces_are_forbidden_each_feature_says_so_and_what_to_do()
    {
        ContainerBuilder outer = NestedProgram.Container("probe").AddCapability(Capability.SysResource);
        string inner = string.Join(' ', outer.Build().Command.Select(word => $"'{word}'"));

        string output = await outer.WithCommand("sh", "-c", $"echo 0 > /proc/sys/user/max_user_namespaces && {inner}").OutputAsync();

        Dictionary<string, string[]> entries = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t')).ToDictionary(fields => fields[0]);
        Assert.Equal(Features.Order(), entries.Keys.Order());
        foreach (string feature in (string[])["user namespace", "containers", "private /proc"])
        {
            Assert.Equal("False", entries[feature][1]);
            Assert.Contains("user.max_user_namespaces is 0", entries[feature][3], StringComparison.Ordinal);
        }

        Assert.Equal("True", entries["openat2"][1]);
    }

    [Fact]
    public async Task What_a_filter_takes_away_is_told()
    {
        (int code, string output, string error) = await Sandbox.OnHostAsync(NestedProgram.Path, "--deny", "openat2,mount_setattr,landlock_create_ruleset", "probe");

        Assert.True(code == 0, error);
        Assert.Contains("openat2\tFalse\t", output, StringComparison.Ordinal);
        Assert.Contains("mount_setattr\tFalse\t", output, StringComparison.Ordinal);
        Assert.Contains("landlock\tFalse\t", output, StringComparison.Ordinal);
        Assert.Contains("containers\tTrue\t", output, StringComparison.Ordinal);
    }
}
