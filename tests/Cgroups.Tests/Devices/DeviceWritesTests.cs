using CsCheck;

namespace Isolation.Cgroups.Tests;

public sealed class DeviceWritesTests
{
    // The kernel asks about opening, or about making, and never about both at once.
    private static readonly (DeviceType Type, int Major, int Minor, DeviceAccess Access)[] Questions =
        [.. DeviceLists.Questions.Where(q => q.Access is DeviceAccess.Mknod or DeviceAccess.Read or DeviceAccess.Write or (DeviceAccess.Read | DeviceAccess.Write))];

    [Fact]
    public void A_list_of_what_is_allowed_takes_everything_away_first() => Assert.Equal(
        ["devices.deny a", "devices.allow c 1:3 rwm", "devices.allow b 8:* r"],
        Lines(DeviceWrites.For([DeviceRule.Deny("a"), DeviceRule.Allow("c 1:3 rwm"), DeviceRule.Allow("b 8:* r")])));

    [Fact]
    public void The_default_is_written_as_it_stands() => Assert.Equal(
        ["devices.deny a", .. DeviceRules.Default.Select(rule => $"devices.allow {rule.Entry}")],
        Lines(DeviceWrites.For(DeviceRules.Default)));

    [Fact]
    public void Nothing_allowed_is_one_line() => Assert.Equal(["devices.deny a"], Lines(DeviceWrites.For([])));

    [Fact]
    public void A_list_of_what_is_denied_allows_everything_else() => Assert.Equal(
        ["devices.deny a", "devices.allow a", "devices.deny c 10:229 w"],
        Lines(DeviceWrites.For([DeviceRule.Allow("c 1:3 r"), DeviceRule.Allow("a"), DeviceRule.Deny("c 10:229 w")])));

    [Fact]
    public void A_rule_about_all_types_and_not_everything_is_told_in_two() => Assert.Equal(
        ["devices.deny a", "devices.allow c *:* r", "devices.allow b *:* r"],
        Lines(DeviceWrites.For([DeviceRule.Allow("a *:* r")])));

    [Fact]
    public void A_denial_takes_away_what_it_covers_which_the_kernel_would_not() => Assert.Equal(
        ["devices.deny a", "devices.allow c 1:3 r"],
        Lines(DeviceWrites.For([DeviceRule.Allow("c 1:3 rw"), DeviceRule.Allow("b 8:0 rwm"), DeviceRule.Deny("c 1:* w"), DeviceRule.Deny("b *:* rwm")])));

    [Fact]
    public void What_may_be_read_by_one_rule_and_written_by_another_may_be_opened_for_both() => Assert.Equal(
        ["devices.deny a", "devices.allow c 1:* r", "devices.allow c *:3 w", "devices.allow c 1:3 rw"],
        Lines(DeviceWrites.For([DeviceRule.Allow("c 1:* r"), DeviceRule.Allow("c *:3 w")])));

    [Theory]
    [InlineData(false, "c 1:3 w", "c 1:* rw")]
    [InlineData(true, "c 1:3 m", "c *:* rm")]
    public void A_hole_in_an_exception_is_refused(bool allowedOtherwise, string hole, string exception)
    {
        DeviceRule[] rules = allowedOtherwise
            ? [DeviceRule.Allow("a"), DeviceRule.Deny(exception), DeviceRule.Allow(hole)]
            : [DeviceRule.Allow(exception), DeviceRule.Deny(hole)];
        var refusal = Assert.Throws<CgroupException>(() => DeviceWrites.For(rules));
        Assert.Equal(CgroupErrorReason.NotSupported, refusal.Reason);
        Assert.Contains(hole, refusal.Message, StringComparison.Ordinal);
        Assert.Contains(exception, refusal.Message, StringComparison.Ordinal);
        Assert.NotNull(refusal.Remedy);
    }

    [Fact]
    public void An_update_touches_only_what_changes()
    {
        DeviceRule[] before = [DeviceRule.Allow("c 1:3 rwm"), DeviceRule.Allow("c 1:5 rw")];
        DeviceRule[] after = [DeviceRule.Allow("c 1:3 rwm"), DeviceRule.Allow("c 1:5 rm"), DeviceRule.Allow("b 8:0 r")];
        Assert.Equal(["devices.allow c 1:5 m", "devices.allow b 8:0 r", "devices.deny c 1:5 w"], Lines(DeviceWrites.Between(before, after)));
        Assert.Equal([], DeviceWrites.Between(before, before));
        Assert.Equal(Lines(DeviceWrites.For([DeviceRule.Allow("a")])), Lines(DeviceWrites.Between(before, [DeviceRule.Allow("a")])));
    }

    [Fact]
    public void What_is_written_means_in_the_kernel_what_the_list_means()
    {
        int refused = 0, told = 0;
        DeviceLists.Any.Sample(
            rules =>
            {
                if (TryWrites(() => DeviceWrites.For(rules)) is not { } writes)
                {
                    Interlocked.Increment(ref refused);
                    return;
                }
                Interlocked.Increment(ref told);
                var kernel = new V1Controller();
                writes.ForEach(kernel.Write);
                AssertSame(kernel, rules);
            },
            iter: 5000);
        Assert.True(told > 1000, $"{told} of {told + refused} lists can be said to v1");
    }

    [Fact]
    public void An_update_comes_to_the_same_as_a_new_beginning()
    {
        int told = 0;
        Gen.Select(DeviceLists.Any, DeviceLists.Any).Sample(
            (before, after) =>
            {
                if (TryWrites(() => DeviceWrites.For(before)) is not { } first || TryWrites(() => DeviceWrites.Between(before, after)) is not { } second) return;
                Interlocked.Increment(ref told);
                var kernel = new V1Controller();
                first.ForEach(kernel.Write);
                second.ForEach(kernel.Write);
                AssertSame(kernel, after);
            },
            iter: 5000);
        Assert.True(told > 500, $"{told} updates");
    }

    private static void AssertSame(V1Controller kernel, DeviceRule[] rules)
    {
        foreach (var (type, major, minor, access) in Questions)
        {
            Assert.True(
                DeviceRules.Allow(rules, type, major, minor, access) == kernel.Allows(type, major, minor, access),
                $"{type} {major}:{minor} {access} with {DeviceLists.Text(rules)}");
        }
    }

    private static List<DeviceWrite>? TryWrites(Func<List<DeviceWrite>> make)
    {
        try
        {
            return make();
        }
        catch (CgroupException refusal) when (refusal.Reason == CgroupErrorReason.NotSupported)
        {
            return null;
        }
    }

    private static string[] Lines(IEnumerable<DeviceWrite> writes) => [.. writes.Select(write => $"{write.File} {write.Text}")];
}
