using CsCheck;

namespace Isolation.Images.Tests;

public class ImageReferenceTests
{
    private const string Hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    [Theory]
    [InlineData("debian", "docker.io", "library/debian", null, null, "debian")]
    [InlineData("debian:12", "docker.io", "library/debian", "12", null, "debian:12")]
    [InlineData("team/tool", "docker.io", "team/tool", null, null, "team/tool")]
    [InlineData("docker.io/debian", "docker.io", "library/debian", null, null, "debian")]
    [InlineData("index.docker.io/library/debian", "docker.io", "library/debian", null, null, "debian")]
    [InlineData("docker.io/library/a/b", "docker.io", "library/a/b", null, null, "library/a/b")]
    [InlineData("localhost/tool", "localhost", "tool", null, null, "localhost/tool")]
    [InlineData("localhost:5000/team/tool:1.2", "localhost:5000", "team/tool", "1.2", null, "localhost:5000/team/tool:1.2")]
    [InlineData("Host/tool", "Host", "tool", null, null, "Host/tool")]
    [InlineData("example.com/a.b_c__d---e/f", "example.com", "a.b_c__d---e/f", null, null, "example.com/a.b_c__d---e/f")]
    [InlineData("[::1]:5000/tool", "[::1]:5000", "tool", null, null, "[::1]:5000/tool")]
    [InlineData("[2001:db8::1]/tool:x", "[2001:db8::1]", "tool", "x", null, "[2001:db8::1]/tool:x")]
    [InlineData("127.0.0.1:80/tool", "127.0.0.1:80", "tool", null, null, "127.0.0.1:80/tool")]
    [InlineData("debian@sha256:" + Hex, "docker.io", "library/debian", null, "sha256:" + Hex, "debian@sha256:" + Hex)]
    [InlineData("a.b:1/c:d_E-f.@sha256:" + Hex, "a.b:1", "c", "d_E-f.", "sha256:" + Hex, "a.b:1/c:d_E-f.@sha256:" + Hex)]
    public void A_name_has_parts(string text, string domain, string path, string? tag, string? digest, string familiar)
    {
        ImageReference reference = ImageReference.Parse(text);

        Assert.Equal((domain, path, tag, digest), (reference.Domain, reference.Path, reference.Tag, reference.Digest?.ToString()));
        Assert.Equal(familiar, reference.ToFamiliarString());
        Assert.Equal(reference, ImageReference.Parse(reference.ToString()));
        Assert.Equal(reference, ImageReference.Parse(reference.ToFamiliarString()));
    }

    [Theory]
    [InlineData("", "empty")]
    [InlineData("Debian", "capital")]
    [InlineData("a//b", "empty")]
    [InlineData("/a", "empty")]
    [InlineData("a/", "empty")]
    [InlineData("a:", "tag")]
    [InlineData("a:-x", "tag")]
    [InlineData("a:b:c", "part of a path")]
    [InlineData("a@b", "digest")]
    [InlineData("a@sha256:" + Hex + "@sha256:" + Hex, "digest")]
    [InlineData("a.b:99999/c", "port")]
    [InlineData("a.b:/c", "port")]
    [InlineData("-a.b/c", "host")]
    [InlineData("a..b/c", "host")]
    [InlineData("[::1/c", "address")]
    [InlineData("[fe80::1%eth0]/c", "address")]
    [InlineData("a___b", "part of a path")]
    [InlineData("a..b", "part of a path")]
    [InlineData("-a", "part of a path")]
    [InlineData("a-", "part of a path")]
    [InlineData("../a", "host")]
    [InlineData("a/../b", "part of a path")]
    [InlineData("a b", "part of a path")]
    [InlineData("ä", "part of a path")]
    [InlineData("a\n", "part of a path")]
    [InlineData("https://example.com/a", "port")]
    [InlineData(Hex, "id")]
    public void What_is_none_is_refused_with_the_reason(string text, string reason)
    {
        Assert.False(ImageReference.TryParse(text, out _));
        Assert.Contains(reason, Assert.Throws<FormatException>(() => ImageReference.Parse(text)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_path_and_a_tag_have_their_longest()
    {
        Assert.True(ImageReference.TryParse("example.com/" + new string('a', 255) + ":" + new string('b', 128), out _));
        Assert.False(ImageReference.TryParse("example.com/" + new string('a', 256), out _));
        Assert.False(ImageReference.TryParse("a:" + new string('b', 129), out _));
    }

    [Fact]
    public void Without_a_tag_it_is_the_default_one_and_with_a_digest_it_is_that()
    {
        Digest digest = Digest.Of([]);
        Assert.Equal("docker.io/library/a:latest", ImageReference.Parse("a").WithDefaultTag().ToString());
        Assert.Equal("docker.io/library/a:x", ImageReference.Parse("a:x").WithDefaultTag().ToString());
        Assert.Equal($"docker.io/library/a@{digest}", ImageReference.Parse($"a@{digest}").WithDefaultTag().ToString());
        Assert.Equal($"docker.io/library/a@{digest}", ImageReference.Parse("a:x").WithDigest(digest).ToString());
    }

    [Fact]
    public void What_is_read_is_written_so_that_it_is_read_again() =>
        Gen.Char["abAB01.:/@_-[]%"].Array[0, 24].Select(letters => new string(letters)).Sample(text =>
        {
            if (!ImageReference.TryParse(text, out ImageReference? reference)) return;
            Assert.Equal(reference, ImageReference.Parse(reference.ToString()));
            Assert.Equal(reference, ImageReference.Parse(reference.ToFamiliarString()));
            Assert.DoesNotContain("..", reference.Path, StringComparison.Ordinal);
        });
}
