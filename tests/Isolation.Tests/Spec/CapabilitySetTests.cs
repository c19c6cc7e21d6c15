using CsCheck;

namespace Isolation.Tests;

public class CapabilitySetTests
{
    [Fact]
    public void A_set_has_what_was_put_in_and_not_what_was_taken_out() =>
        Gen.Select(Gen.ULong, Gen.Int[0, 63]).Sample((bits, number) =>
        {
            CapabilitySet set = new(bits);
            Capability capability = (Capability)number;
            Assert.True(set.With(capability).Has(number));
            Assert.False(set.Without(capability).Has(number));
            for (int other = 0; other < 64; other++)
                if (other != number) Assert.Equal((set.Has(other), set.Has(other)), (set.With(capability).Has(other), set.Without(capability).Has(other)));
        }, iter: 300, threads: 1);

    [Fact]
    public void Numbers_are_those_of_the_kernel()
    {
        Assert.Equal(1UL << 21, CapabilitySet.Of(Capability.SysAdmin).Bits);
        Assert.Equal(1UL << 40, CapabilitySet.Of(Capability.CheckpointRestore).Bits);
        Assert.Equal(Enumerable.Range(0, 41), Enum.GetValues<Capability>().Select(capability => (int)capability));
    }

    [Fact]
    public void The_default_is_the_set_of_other_runtimes_without_making_devices() => Assert.Equal(0xa80425fbUL & ~(1UL << 27), CapabilitySet.Default.Bits);
}
