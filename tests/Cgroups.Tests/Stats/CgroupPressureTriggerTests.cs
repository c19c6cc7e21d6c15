namespace Isolation.Cgroups.Tests.Stats;

public sealed class CgroupPressureTriggerTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Theory]
    [InlineData(CgroupPressureResource.Memory, CgroupStall.Some, 150, 1000, "memory.pressure", "some 150000 1000000")]
    [InlineData(CgroupPressureResource.Io, CgroupStall.Full, 50, 1000, "io.pressure", "full 50000 1000000")]
    [InlineData(CgroupPressureResource.Cpu, CgroupStall.Some, 500, 500, "cpu.pressure", "some 500000 500000")]
    [InlineData(CgroupPressureResource.Irq, CgroupStall.Full, 1, 10000, "irq.pressure", "full 1000 10000000")]
    public void Is_written_in_microseconds(CgroupPressureResource resource, CgroupStall stall, int stalled, int window, string file, string text)
    {
        CgroupPressureTrigger trigger = new(resource, stall, TimeSpan.FromMilliseconds(stalled), TimeSpan.FromMilliseconds(window));

        Assert.Equal(file, trigger.File);
        Assert.Equal(text, trigger.ToString());
    }

    [Theory]
    [InlineData(0, 1_000_000, "stalled")]
    [InlineData(-1, 1_000_000, "stalled")]
    [InlineData(1_000_001, 1_000_000, "stalled")]
    [InlineData(100, 499_999, "window")]
    [InlineData(100, 10_000_001, "window")]
    public void Times_out_of_range_are_refused(long stalled, long window, string parameter) =>
        Assert.Throws<ArgumentOutOfRangeException>(parameter, () => new CgroupPressureTrigger(
            CgroupPressureResource.Memory, CgroupStall.Some, TimeSpan.FromMicroseconds(stalled), TimeSpan.FromMicroseconds(window)));

    [Fact]
    public void A_part_of_a_microsecond_is_refused_and_not_cut_off()
    {
        Assert.Throws<ArgumentOutOfRangeException>("stalled", () => new CgroupPressureTrigger(CgroupPressureResource.Memory, CgroupStall.Some, TimeSpan.FromTicks(1005), Second));
        Assert.Throws<ArgumentOutOfRangeException>("window", () => new CgroupPressureTrigger(CgroupPressureResource.Memory, CgroupStall.Some, TimeSpan.FromTicks(1000), Second + TimeSpan.FromTicks(1)));
    }

    [Fact]
    public void Some_of_interrupts_is_refused() =>
        Assert.Throws<ArgumentException>("stall", () => new CgroupPressureTrigger(CgroupPressureResource.Irq, CgroupStall.Some, Second, Second));

    [Fact]
    public void What_is_not_defined_is_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>("resource", () => new CgroupPressureTrigger((CgroupPressureResource)4, CgroupStall.Some, Second, Second));
        Assert.Throws<ArgumentOutOfRangeException>("stall", () => new CgroupPressureTrigger(CgroupPressureResource.Cpu, (CgroupStall)2, Second, Second));
    }

    [Fact]
    public void Two_that_say_the_same_are_equal() =>
        Assert.Equal(new(CgroupPressureResource.Cpu, CgroupStall.Full, Second, Second), new CgroupPressureTrigger(CgroupPressureResource.Cpu, CgroupStall.Full, Second, Second));
}
