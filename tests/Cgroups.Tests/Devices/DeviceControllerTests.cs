namespace Isolation.Cgroups.Tests;

/// <summary>What is written for v1, in the real kernel.</summary>
public sealed class DeviceControllerTests
{
    [Fact]
    public void The_lines_do_what_the_rules_say()
    {
        using TestGroup group = TestGroup.OfV1Devices();
        using var user = new DeviceUser(group);
        DeviceRule[] rules = [DeviceRule.Allow("c 1:3 rw"), DeviceRule.Allow("c 1:* r"), DeviceRule.Allow("c *:7 w"), DeviceRule.Allow("a 1:7 m"), DeviceRule.Deny("c 1:5 rwm")];
        Write(group, DeviceWrites.For([.. rules[..4]]));
        Assert.True(user.May("r", "/dev/zero"));
        Assert.False(user.May("w", "/dev/zero"));
        Assert.True(user.May("rw", "/dev/full"));
        Assert.True(user.May("m", $"/tmp/isolation-dev-v1-{Environment.ProcessId}"));
        Assert.Throws<CgroupException>(() => DeviceWrites.For(rules));
    }

    [Fact]
    public void What_the_kernel_lists_reads_as_the_default()
    {
        using TestGroup group = TestGroup.OfV1Devices();
        Write(group, DeviceWrites.For(DeviceRules.Default));
        var listed = File.ReadAllLines(Path.Combine(group.Path, "devices.list")).Select(DeviceRule.Allow);
        Assert.Equal(DeviceRules.Default.Select(rule => rule.Entry).Order(), listed.Select(rule => rule.Entry).Order());
    }

    [Fact]
    public void An_update_opens_and_closes()
    {
        using TestGroup group = TestGroup.OfV1Devices();
        using var user = new DeviceUser(group);
        DeviceRule[] before = [DeviceRule.Allow("c 1:3 rw"), DeviceRule.Allow("c 1:5 rw")], after = [DeviceRule.Allow("c 1:3 r"), DeviceRule.Allow("c 1:7 rw")];
        Write(group, DeviceWrites.For(before));
        Assert.True(user.May("rw", "/dev/zero"));
        Write(group, DeviceWrites.Between(before, after));
        Assert.False(user.May("rw", "/dev/zero"));
        Assert.False(user.May("w", "/dev/null"));
        Assert.True(user.May("r", "/dev/null"));
        Assert.True(user.May("rw", "/dev/full"));
        Write(group, DeviceWrites.Between(after, [DeviceRule.Allow("a"), DeviceRule.Deny("c 1:3 w")]));
        Assert.True(user.May("rw", "/dev/zero"));
        Assert.False(user.May("rw", "/dev/null"));
    }

    private static void Write(TestGroup group, List<DeviceWrite> writes) => writes.ForEach(write => group.Write(write.File, write.Text));
}
