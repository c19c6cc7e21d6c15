using CsCheck;

namespace Isolation.Tests;

public class IdMappingTests
{
    private static readonly Gen<uint> Edge = Gen.OneOf(Gen.UInt[0, 8], Gen.UInt[uint.MaxValue - 8, uint.MaxValue]);

    private static readonly Gen<IdMapping> Mapping = Gen.Select(Edge, Edge, Gen.UInt[1, 6], (inside, outside, count) => new IdMapping(inside, outside, count));

    [Fact]
    public void Ranges_overlap_exactly_when_they_share_an_id_on_either_side()
    {
        int overlapping = 0, apart = 0;
        Gen.Select(Mapping, Mapping).Sample(
            (one, other) =>
            {
                bool shared = Ids(one.ContainerId, one.Count).Intersect(Ids(other.ContainerId, other.Count)).Any()
                    || Ids(one.HostId, one.Count).Intersect(Ids(other.HostId, other.Count)).Any();
                Assert.Equal(shared, one.Overlaps(other));
                Assert.Equal(shared, other.Overlaps(one));
                if (shared) Interlocked.Increment(ref overlapping);
                else Interlocked.Increment(ref apart);
            },
            iter: 5000, threads: 1);
        Assert.All([overlapping, apart], count => Assert.InRange(count, 200, 5000));
    }

    [Fact]
    public void A_line_of_a_map_is_inside_outside_count() => Assert.Equal("0 100000 65536", new IdMapping(0, 100000, 65536).ToString());

    private static IEnumerable<ulong> Ids(uint first, uint count) => Enumerable.Range(0, (int)count).Select(i => first + (ulong)i);
}
