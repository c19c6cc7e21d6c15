using System.Text;
using CsCheck;

namespace Isolation.Cgroups.Tests.Stats;

public sealed class MalformedFileTests
{
    [Theory]
    [InlineData(1, "memory.usage_in_bytes", "", "")]
    [InlineData(1, "memory.usage_in_bytes", "\n", "")]
    [InlineData(1, "memory.usage_in_bytes", "-1\n", "-1")]
    [InlineData(1, "memory.usage_in_bytes", " 1\n", " 1")]
    [InlineData(1, "memory.usage_in_bytes", "max\n", "max")]
    [InlineData(1, "memory.usage_in_bytes", "1\n2\n", "2")]
    [InlineData(1, "memory.usage_in_bytes", "9223372036854775808\n", "9223372036854775808")]
    [InlineData(1, "memory.usage_in_bytes", "99999999999999999999\n", "99999999999999999999")]
    [InlineData(1, "memory.stat", "cache 1\ntotal_rss\n", "total_rss")]
    [InlineData(1, "memory.stat", "total_rss 1 2\n", "total_rss 1 2")]
    [InlineData(1, "memory.oom_control", "oom_kill x\n", "oom_kill x")]
    [InlineData(1, "cpuacct.stat", "user 92233720368547758\n", "user 92233720368547758")]
    [InlineData(1, "cpuacct.usage_percpu", "1 2 three\n", "1 2 three")]
    [InlineData(1, "cpu.stat", "nr_periods 1.5\n", "nr_periods 1.5")]
    [InlineData(1, "blkio.throttle.io_service_bytes_recursive", "sda Read 5\n", "sda Read 5")]
    [InlineData(1, "blkio.throttle.io_service_bytes_recursive", "8:0 Read\n", "8:0 Read")]
    [InlineData(1, "blkio.throttle.io_serviced_recursive", "8: Read 1\n", "8: Read 1")]
    [InlineData(1, "blkio.throttle.io_serviced_recursive", "8:4294967296 Read 1\n", "8:4294967296 Read 1")]
    [InlineData(2, "cpu.stat", "usage_usec 922337203685477581\n", "usage_usec 922337203685477581")]
    [InlineData(2, "io.stat", "8:0 rbytes\n", "8:0 rbytes")]
    [InlineData(2, "io.stat", "rbytes=5\n", "rbytes=5")]
    [InlineData(2, "io.stat", "8:0 rbytes=\n", "8:0 rbytes=")]
    [InlineData(2, "memory.pressure", "some avg10=0.00 avg60=0.00 total=5\n", "some avg10=0.00 avg60=0.00 total=5")]
    [InlineData(2, "memory.pressure", "some avg10=0.0 avg60=0.00 avg300=0.00 total=5\n", "some avg10=0.0 avg60=0.00 avg300=0.00 total=5")]
    [InlineData(2, "memory.pressure", "full avg10=101.00 avg60=0.00 avg300=0.00 total=5\n", "full avg10=101.00 avg60=0.00 avg300=0.00 total=5")]
    [InlineData(2, "memory.pressure", "full\n", "full")]
    [InlineData(2, "memory.max", "Max\n", "Max")]
    [InlineData(2, "pids.max", "none\n", "none")]
    [InlineData(2, "rdma.current", "mlx4_0 hca_handle\n", "mlx4_0 hca_handle")]
    [InlineData(2, "misc.current", "sev\n", "sev")]
    [InlineData(2, "hugetlb.2MB.events", "max\n", "max")]
    public void Names_the_file_and_shows_the_line(int version, string file, string text, string line)
    {
        CgroupException failure = Assert.Throws<CgroupException>(() => Reading.Of((CgroupVersion)version, CgroupStatsDetails.PerProcessor, (file, text)));

        Assert.Equal(CgroupErrorReason.Malformed, failure.Reason);
        Assert.StartsWith($"{file}: \"{line}\" ", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_line_of_anything_is_shown_short_and_in_print()
    {
        CgroupException failure = Assert.Throws<CgroupException>(() => Reading.V1(("memory.failcnt", "\u001b[31m\0" + new string('x', 5000))));

        Assert.Contains(@"\x1b[31m\x00xxx", failure.Message, StringComparison.Ordinal);
        Assert.InRange(failure.Message.Length, 100, 300);
    }

    [Theory]
    [InlineData(1, "memory.stat", "slab\ntotal_what ever it is\n\n=\n")]
    [InlineData(1, "cpu.stat", "throttled_moon 5 6\n")]
    [InlineData(2, "io.stat", "8:0 dreams=x rbytes=1\n")]
    [InlineData(2, "memory.pressure", "most avg10=x\n")]
    [InlineData(2, "rdma.current", "mlx4_0 hca_thing=many\n")]
    public void What_a_newer_kernel_says_more_is_passed_over(int version, string file, string text) =>
        Assert.NotNull(Reading.Of((CgroupVersion)version, CgroupStatsDetails.None, (file, text)));

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void No_bytes_make_a_parser_throw_anything_else(int version)
    {
        StatsFile[] files = [.. Reading.AllFiles((CgroupVersion)version)];
        // One draft for all: what a broken file leaves behind must not break the next one.
        Gen.Select(Element(files), Text).Sample((file, bytes) => Parses(file, bytes), iter: 20_000, threads: 1);
    }

    private static readonly StatsDraft Draft = new();

    private static readonly byte[][] Valid =
    [
        .. new[]
        {
            Fixtures.V1MemoryStat, Fixtures.V2MemoryStat, Fixtures.V1BlkioBytes, Fixtures.V2IoStat, Fixtures.Pressure, Fixtures.V2CpuStat, "max\n", "123\n",
            "mlx4_0 hca_handle=2 hca_object=max \n", "sev 3\n", "1 2 3 \n", "user 5\nsystem 6\n", "under_oom 0\noom_kill 1\n",
        }.Select(Encoding.UTF8.GetBytes),
    ];

    private static readonly Gen<byte[]> Word = Element("max ", "\n", " ", "=", ":", "some ", "8:0 ", "Read ", "total_rss ", "total=", "avg10=", "9223372036854775807", "-1", "0", "\0", "é")
        .Select(Encoding.UTF8.GetBytes);

    /// <summary>Any bytes, words in any order, and what kernels write with some bytes changed or cut off.</summary>
    private static readonly Gen<byte[]> Text = Gen.OneOf(
        Gen.Byte.Array[0, 200],
        Word.Array[0, 20].Select(words => words.SelectMany(word => word).ToArray()),
        Gen.Select(Element(Valid), Gen.Select(Gen.UShort, Gen.Byte).Array[0, 4], Gen.UShort).Select((text, changes, length) =>
        {
            byte[] copy = [.. text.Take(length % 2 == 0 ? text.Length : length % (text.Length + 1))];
            foreach ((ushort at, byte value) in changes.Where(_ => copy.Length > 0)) copy[at % copy.Length] = value;
            return copy;
        }));

    private static Gen<T> Element<T>(params T[] all) => Gen.Int[0, all.Length - 1].Select(at => all[at]);

    private static bool Parses(StatsFile file, byte[] bytes)
    {
        Draft.Begin(CgroupStatsDetails.MemoryStat | CgroupStatsDetails.PerProcessor);
        try
        {
            file.Parse(file.Name, bytes, Draft);
            Draft.Finish().Memory.Stat?.ToList();
            return true;
        }
        catch (CgroupException failure)
        {
            return failure.Reason == CgroupErrorReason.Malformed && failure.Message.Contains(file.Name, StringComparison.Ordinal);
        }
    }
}
