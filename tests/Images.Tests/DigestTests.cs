using System.Security.Cryptography;
using System.Text;

namespace Isolation.Images.Tests;

public class DigestTests
{
    private const string OfNothing = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    [Fact]
    public void Of_content_it_is_the_sha256()
    {
        Assert.Equal(OfNothing, Digest.Of([]).ToString());
        Assert.Equal(Digest.Parse(OfNothing), Digest.Of([]));
    }

    [Theory]
    [InlineData("sha256", true)]
    [InlineData("sha512", true)]
    public void Content_is_checked_against_it(string algorithm, bool canVerify)
    {
        byte[] content = Encoding.UTF8.GetBytes("content");
        string hex = Convert.ToHexStringLower(algorithm == "sha256" ? SHA256.HashData(content) : SHA512.HashData(content));
        Digest digest = Digest.Parse($"{algorithm}:{hex}");
        using IncrementalHash hash = digest.StartHash();
        hash.AppendData(content);

        Assert.Equal(canVerify, digest.CanVerify);
        Assert.Equal(digest, digest.Finish(hash));
    }

    [Theory]
    [InlineData("sha256+b64u:LCa0a2j_xo_5m0U8HTBBNBNCLXBkg7-g-YpeiGJm564")] // of the specification
    [InlineData("multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8")]
    public void Another_algorithm_is_one_that_cannot_be_checked(string text)
    {
        Digest digest = Digest.Parse(text);

        Assert.Equal(text, digest.ToString());
        Assert.False(digest.CanVerify);
        Assert.Throws<NotSupportedException>(digest.StartHash);
    }

    [Theory]
    [InlineData("")]
    [InlineData("sha256")]
    [InlineData("sha256:")]
    [InlineData(":e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    [InlineData("sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855")]
    [InlineData("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85")]
    [InlineData("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855/../../x")]
    [InlineData("../sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    [InlineData("sha512:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    [InlineData("sha++256:abc")]
    [InlineData("sha256+:abc")]
    [InlineData("x:a/b")]
    [InlineData("x:a.b")]
    public void What_is_none_is_refused(string text)
    {
        Assert.False(Digest.TryParse(text, out _));
        Assert.Contains(text, Assert.Throws<FormatException>(() => Digest.Parse(text)).Message, StringComparison.Ordinal);
    }
}
