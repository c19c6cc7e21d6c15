using CsCheck;
using Isolation.Linux;

namespace Isolation.Networking.Tests;

/// <summary>Messages as they are written and read, and what the kernel answers to them.</summary>
public sealed class NetlinkTests
{
    private static readonly Gen<(ushort Type, byte[] Value)[]> Attributes = Gen.Select(Gen.Int[1, 40].Select(type => (ushort)type), Gen.Byte.Array[0, 70]).Array[0, 8];

    [Fact]
    public void What_is_written_is_read_again() =>
        Gen.Select(Gen.Byte.Array[0, 20], Attributes, Gen.UInt).Sample((own, attributes, sequence) =>
        {
            NetlinkMessage message = new(Abi.RTM_NEWLINK, Abi.NLM_F_ACK, own);
            foreach ((ushort type, byte[] value) in attributes) message.Add(type, value);
            byte[] twice = [.. message.Finish(sequence), .. message.Finish(sequence)];

            NetlinkReply[] read = [.. NetlinkReply.Parse(twice)];

            Assert.Equal(2, read.Length);
            foreach (NetlinkReply reply in read)
            {
                Assert.Equal((Abi.RTM_NEWLINK, (ushort)(Abi.NLM_F_ACK | Abi.NLM_F_REQUEST), sequence), (reply.Type, reply.Flags, reply.Sequence));
                Assert.Equal(own, reply.Own(own.Length).ToArray());
                Dictionary<ushort, ReadOnlyMemory<byte>> found = reply.Attributes((own.Length + 3) & ~3);
                Assert.Equal(attributes.Select(attribute => attribute.Type).Distinct().Order(), found.Keys.Order());
                foreach (var last in attributes.GroupBy(attribute => attribute.Type)) Assert.Equal(last.Last().Value, found[last.Key].ToArray());
            }
        });

    [Fact]
    public void Whatever_comes_is_read_or_refused() =>
        Gen.Byte.Array[0, 200].Sample(bytes =>
        {
            // As often as not a length that fits, or nearly.
            if (bytes.Length >= 20 && bytes[^1] % 2 == 0)
            {
                BitConverter.TryWriteBytes(bytes, bytes.Length - bytes[18] % 3);
                BitConverter.TryWriteBytes(bytes.AsSpan(16), (ushort)(bytes[19] % 40));
            }

            try
            {
                foreach (NetlinkReply reply in NetlinkReply.Parse(bytes))
                {
                    _ = reply.Attributes(0);
                    _ = reply.Words();
                }
            }
            catch (InvalidDataException exception)
            {
                Assert.StartsWith("The kernel's answer is damaged", exception.Message, StringComparison.Ordinal);
            }
        }, iter: 100_000);

    [Fact]
    public void A_value_that_no_length_can_be_of_is_refused()
    {
        NetlinkMessage message = new(Abi.RTM_NEWLINK, 0, []);
        Assert.Throws<ArgumentException>(() => message.Add(1, new byte[ushort.MaxValue - 3]));
        Assert.Equal(ushort.MaxValue - 4, NetlinkReply.Parse(message.Add(1, new byte[ushort.MaxValue - 4]).Finish(1).ToArray()).Single().Attributes(0)[1].Length);
    }

    [Fact]
    public void The_kernel_tells_of_the_loopback_interface_and_of_none_that_is_not_there()
    {
        using RouteSocket socket = RouteSocket.Open();
        for (int i = 0; i < 2; i++)
        {
            NetlinkReply link = socket.AskOne(new NetlinkMessage(Abi.RTM_GETLINK, 0, new byte[16]).Add(Abi.IFLA_IFNAME, "lo"), "lo");
            Assert.Equal(1, BitConverter.ToInt32(link.Own(16)[4..]));
            Assert.Equal("lo\0"u8.ToArray(), link.Attributes(16)[Abi.IFLA_IFNAME].ToArray());
            LinuxException refused = Assert.Throws<LinuxException>(() => socket.AskOne(new NetlinkMessage(Abi.RTM_GETLINK, 0, new byte[16]).Add(Abi.IFLA_IFNAME, "isolation-none"), "\"isolation-none\""));
            Assert.Equal(Errno.ENODEV, refused.Errno);
            Assert.Contains("RTM_GETLINK(\"isolation-none\")", refused.Message, StringComparison.Ordinal);
        }

        Assert.Contains(socket.Dump(() => new(Abi.RTM_GETLINK, Abi.NLM_F_DUMP, new byte[16]), "all"), link => BitConverter.ToInt32(link.Own(16)[4..]) == 1);
    }

    [Fact]
    public void What_the_kernel_refuses_it_says_why_in_words()
    {
        using RouteSocket socket = RouteSocket.Open();
        LinuxException refused = Assert.Throws<LinuxException>(() => socket.Request(new NetlinkMessage(Abi.RTM_NEWADDR, 0, [200, 0, 0, 0, 1, 0, 0, 0]).Add(Abi.IFA_LOCAL, 1), "no family"));
        Assert.True(refused.Errno is Errno.EOPNOTSUPP or Errno.EPERM or Errno.EAFNOSUPPORT, refused.Message);
    }

    [Theory]
    [InlineData("eth0", true)]
    [InlineData("fifteen-letters", true)]
    [InlineData("sixteen-letters!", false)]
    [InlineData("ümlaut-ümlaut", true)]
    [InlineData("ümlaut-ümlaut-ü", false)]
    [InlineData("", false)]
    [InlineData(".", false)]
    [InlineData("..", false)]
    [InlineData("a/b", false)]
    [InlineData("a:1", false)]
    [InlineData("a b", false)]
    [InlineData("a\0", false)]
    public void Names_are_those_that_the_kernel_takes(string name, bool valid) => Assert.Equal(valid, LinkMove.IsName(name));
}
