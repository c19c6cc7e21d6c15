namespace Isolation.Cgroups.Tests;

public sealed class DeviceRuleTests
{
    [Theory]
    [InlineData("c 1:3 rwm", DeviceType.Char, 1, 3, DeviceAccess.All)]
    [InlineData("b 8:* r", DeviceType.Block, 8, null, DeviceAccess.Read)]
    [InlineData("c *:0 w", DeviceType.Char, null, 0, DeviceAccess.Write)]
    [InlineData("a *:* rwm", DeviceType.All, null, null, DeviceAccess.All)]
    [InlineData("a 4095:1048575 rm", DeviceType.All, 4095, 1048575, DeviceAccess.Read | DeviceAccess.Mknod)]
    public void An_entry_is_read_and_written_alike(string entry, DeviceType type, int? major, int? minor, DeviceAccess access)
    {
        DeviceRule rule = DeviceRule.Allow(entry);
        Assert.Equal(DeviceRule.Allow(type, major, minor, access), rule);
        Assert.Equal(entry, rule.Entry);
        Assert.Equal($"allow {entry}", rule.ToString());
        Assert.Equal($"deny {entry}", DeviceRule.Deny(entry).ToString());
        Assert.NotEqual(rule, DeviceRule.Deny(entry));
    }

    [Fact]
    public void The_short_form_is_everything() => Assert.Equal(DeviceRule.Deny(DeviceType.All), DeviceRule.Deny("a"));

    [Fact]
    public void The_uses_may_come_in_any_order() => Assert.Equal("c 1:3 rwm", DeviceRule.Allow("c 1:3 mwr").Entry);

    [Theory]
    [InlineData("")]
    [InlineData("c")]
    [InlineData("b")]
    [InlineData("x 1:3 rwm")]
    [InlineData("C 1:3 rwm")]
    [InlineData("cc 1:3 rwm")]
    [InlineData("c 1:3")]
    [InlineData("c 1:3 ")]
    [InlineData("c  1:3 rwm")]
    [InlineData("c 1:3 rwm\n")]
    [InlineData(" c 1:3 rwm")]
    [InlineData("c 1 rwm")]
    [InlineData("c 1:3:5 rwm")]
    [InlineData("c 1: rwm")]
    [InlineData("c -1:3 rwm")]
    [InlineData("c +1:3 rwm")]
    [InlineData("c 0x1:3 rwm")]
    [InlineData("c 1:** rwm")]
    [InlineData("c 4096:3 rwm")]
    [InlineData("c 1:1048576 rwm")]
    [InlineData("c 4294967295:4294967295 rwm")] // to the kernel, every device
    [InlineData("c 99999999999999999999:3 rwm")]
    [InlineData("c 1:3 x")]
    [InlineData("c 1:3 rr")]
    [InlineData("c 1:3 rwmx")]
    [InlineData("c 1:3 r w")]
    public void Other_texts_are_refused(string entry)
    {
        var refusal = Assert.Throws<FormatException>(() => DeviceRule.Allow(entry));
        Assert.Contains($"\"{entry}\"", refusal.Message, StringComparison.Ordinal);
        Assert.False(DeviceRule.TryParse(false, entry, out _));
    }

    [Fact]
    public void Numbers_and_uses_that_no_device_has_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>("major", () => DeviceRule.Allow(DeviceType.Char, 4096));
        Assert.Throws<ArgumentOutOfRangeException>("major", () => DeviceRule.Allow(DeviceType.Char, -1));
        Assert.Throws<ArgumentOutOfRangeException>("minor", () => DeviceRule.Deny(DeviceType.Char, 1, 1048576));
        Assert.Throws<ArgumentOutOfRangeException>("access", () => DeviceRule.Deny(DeviceType.Char, 1, 1, DeviceAccess.None));
        Assert.Throws<ArgumentOutOfRangeException>("access", () => DeviceRule.Deny(DeviceType.Char, 1, 1, (DeviceAccess)8));
        Assert.Throws<ArgumentOutOfRangeException>("type", () => DeviceRule.Deny((DeviceType)3));
        Assert.Throws<ArgumentNullException>(() => DeviceRule.Allow(null!));
        Assert.False(DeviceRule.TryParse(true, null, out _));
    }

    [Fact]
    public void The_default_is_the_pseudo_devices_and_mknod_of_all()
    {
        string[] usable = ["1:3", "1:5", "1:7", "1:8", "1:9", "5:0", "5:2", "136:0", "136:77"];
        foreach (string device in usable)
            Assert.True(Allows(device, DeviceAccess.All), device);
        foreach (string device in (string[])["1:1", "1:11", "4:0", "5:1", "10:200", "10:229"])
        {
            Assert.True(Allows(device, DeviceAccess.Mknod), device);
            Assert.False(Allows(device, DeviceAccess.Read), device);
            Assert.False(Allows(device, DeviceAccess.Write | DeviceAccess.Mknod), device);
        }
        Assert.True(DeviceRules.Allow(DeviceRules.Default, DeviceType.Block, 8, 0, DeviceAccess.Mknod));
        Assert.False(DeviceRules.Allow(DeviceRules.Default, DeviceType.Block, 1, 3, DeviceAccess.Read));

        static bool Allows(string device, DeviceAccess access) =>
            DeviceRules.Allow(DeviceRules.Default, DeviceType.Char, int.Parse(device.Split(':')[0], null), int.Parse(device.Split(':')[1], null), access);
    }

    [Fact]
    public void Each_use_is_decided_by_the_last_rule_about_it()
    {
        DeviceRule[] rules = [DeviceRule.Allow("c 1:* rw"), DeviceRule.Deny("c 1:3 w"), DeviceRule.Allow("c *:3 m")];
        Assert.True(DeviceRules.Allow(rules, DeviceType.Char, 1, 3, DeviceAccess.Read));
        Assert.False(DeviceRules.Allow(rules, DeviceType.Char, 1, 3, DeviceAccess.Write));
        Assert.False(DeviceRules.Allow(rules, DeviceType.Char, 1, 3, DeviceAccess.Read | DeviceAccess.Write));
        Assert.True(DeviceRules.Allow(rules, DeviceType.Char, 1, 3, DeviceAccess.Read | DeviceAccess.Mknod));
        Assert.False(DeviceRules.Allow(rules, DeviceType.Char, 2, 2, DeviceAccess.Read));
        Assert.False(DeviceRules.Allow([], DeviceType.Char, 1, 3, DeviceAccess.Read));
    }
}
