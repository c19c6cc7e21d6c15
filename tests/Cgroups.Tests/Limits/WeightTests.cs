namespace Isolation.Cgroups.Tests;

public sealed class WeightTests
{
    [Theory]
    [InlineData(2, 1)]
    [InlineData(3, 2)]
    [InlineData(100, 17)]
    [InlineData(1023, 100)]
    [InlineData(1024, 100)]
    [InlineData(1025, 101)]
    [InlineData(262143, 10000)]
    [InlineData(262144, 10000)]
    public void Shares_become_a_weight_by_the_curve(long shares, int weight) => Assert.Equal(weight, CpuWeight.FromShares(shares));

    [Theory]
    [InlineData(2, 1)]
    [InlineData(28, 1)]
    [InlineData(29, 2)]
    [InlineData(1024, 39)]
    [InlineData(262117, 9998)]
    [InlineData(262118, 9999)]
    [InlineData(262143, 9999)]
    [InlineData(262144, 10000)]
    public void Shares_become_a_weight_by_the_line(long shares, int weight) => Assert.Equal(weight, CpuWeight.FromSharesLinear(shares));

    [Fact]
    public void The_default_of_one_is_the_default_of_the_other() => Assert.Equal(1024, CpuWeight.ToShares(100));

    [Fact]
    public void Every_cpu_weight_comes_back_from_its_shares()
    {
        for (int weight = 1; weight <= 10000; weight++)
        {
            Assert.Equal(weight, CpuWeight.FromShares(CpuWeight.ToShares(weight)));
            Assert.Equal(weight, CpuWeight.FromSharesLinear(CpuWeight.ToSharesLinear(weight)));
        }
        Assert.Equal(2, CpuWeight.ToShares(1));
        Assert.Equal(2, CpuWeight.ToSharesLinear(1));
        Assert.Equal(262144, CpuWeight.ToSharesLinear(10000));
    }

    [Fact]
    public void More_shares_are_never_less_weight()
    {
        (int curve, int line) = (1, 1);
        for (int shares = 2; shares <= 262144; shares++)
        {
            (int former, int formerLine) = (curve, line);
            (curve, line) = (CpuWeight.FromShares(shares), CpuWeight.FromSharesLinear(shares));
            if (curve < former || line < formerLine || curve > 10000 || line > 10000) Assert.Fail($"{shares} shares");
        }
    }

    [Theory]
    [InlineData(10, 1)]
    [InlineData(11, 11)]
    [InlineData(100, 910)]
    [InlineData(500, 4950)]
    [InlineData(999, 9989)]
    [InlineData(1000, 10000)]
    public void A_blkio_weight_becomes_an_io_weight(long blkio, int io)
    {
        Assert.Equal(io, IoWeight.FromBlkio(blkio));
        Assert.Equal(blkio, IoWeight.ToBlkio(io));
        Assert.Equal(blkio, IoWeight.BfqFromBlkio(blkio));
        Assert.Equal(blkio, IoWeight.BlkioFromBfq(blkio));
    }

    [Fact]
    public void Every_blkio_weight_comes_back_and_what_lies_between_is_rounded_down()
    {
        for (int blkio = 10; blkio <= 1000; blkio++) Assert.Equal(blkio, IoWeight.ToBlkio(IoWeight.FromBlkio(blkio)));
        for (int io = 1; io <= 10000; io++)
        {
            Assert.InRange(IoWeight.ToBlkio(io), 10, 1000);
            Assert.InRange(IoWeight.FromBlkio(IoWeight.ToBlkio(io)), 1, io);
        }
    }

    [Fact]
    public void What_is_out_of_range_is_refused()
    {
        foreach (long shares in (long[])[long.MinValue, -1, 0, 1, 262145, long.MaxValue])
        {
            Assert.Throws<ArgumentOutOfRangeException>("shares", () => CpuWeight.FromShares(shares));
            Assert.Throws<ArgumentOutOfRangeException>("shares", () => CpuWeight.FromSharesLinear(shares));
        }
        foreach (long weight in (long[])[long.MinValue, 0, 10001, long.MaxValue])
        {
            Assert.Throws<ArgumentOutOfRangeException>("weight", () => CpuWeight.ToShares(weight));
            Assert.Throws<ArgumentOutOfRangeException>("weight", () => CpuWeight.ToSharesLinear(weight));
            Assert.Throws<ArgumentOutOfRangeException>("weight", () => IoWeight.ToBlkio(weight));
        }
        foreach (long weight in (long[])[0, 9, 1001])
        {
            Assert.Throws<ArgumentOutOfRangeException>("weight", () => IoWeight.FromBlkio(weight));
            Assert.Throws<ArgumentOutOfRangeException>("weight", () => IoWeight.BfqFromBlkio(weight));
        }
        Assert.Throws<ArgumentOutOfRangeException>("weight", () => IoWeight.BlkioFromBfq(1001));
        Assert.Equal(CgroupErrorReason.NotSupported, Assert.Throws<CgroupException>(() => IoWeight.BlkioFromBfq(9)).Reason);
    }
}
