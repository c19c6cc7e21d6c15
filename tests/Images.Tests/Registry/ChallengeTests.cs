using CsCheck;

namespace Isolation.Images.Tests;

/// <summary>What servers write into <c>WWW-Authenticate</c> (RFC 9110, 11.6.1).</summary>
public sealed class ChallengeTests
{
    [Fact]
    public void One_of_a_registry_is_read()
    {
        Challenge challenge = Assert.Single(Challenge.Parse("Bearer realm=\"https://auth.example/token\",service=\"registry.example\",scope=\"repository:a/b:pull,push\""));

        Assert.True(challenge.Is("bearer"));
        Assert.Equal("https://auth.example/token", challenge["realm"]);
        Assert.Equal("repository:a/b:pull,push", challenge["scope"]);
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("Basic", "Basic")]
    [InlineData("Basic realm=x", "Basic realm=x")]
    [InlineData(" , Basic realm = \"a \\\"b\\\" c\" , charset=utf-8", "Basic realm=a \"b\" c charset=utf-8")]
    [InlineData("Negotiate YWJj==, Bearer realm=\"r\"", "Negotiate; Bearer realm=r")]
    [InlineData("Basic realm=\"a\", Bearer realm=\"b\",error=invalid_token", "Basic realm=a; Bearer realm=b error=invalid_token")]
    [InlineData("Basic, Bearer REALM=b", "Basic; Bearer realm=b")]
    public void Several_are_told_apart(string header, string expected) =>
        Assert.Equal(expected, string.Join("; ", Challenge.Parse(header).Select(challenge => string.Join(' ', [challenge.Scheme, .. challenge.Parameters.Select(each => $"{each.Key}={each.Value}")]))));

    [Theory]
    [InlineData("=")]
    [InlineData("Bearer realm=\"open")]
    [InlineData("Bearer realm=\"a\\")]
    [InlineData("Bearer realm=\"a\",x=")]
    [InlineData("Bearer realm=a realm=b")]
    [InlineData("Bearer realm=a,realm=b")]
    [InlineData("Bearer \"x\"")]
    [InlineData("Ba(sic")]
    public void What_is_none_is_refused(string header) => Assert.Throws<FormatException>(() => Challenge.Parse(header));

    [Fact]
    public void Any_text_is_read_or_refused() => Gen.String[Gen.OneOf(Gen.Char["\"\\=, \tBearB"], Gen.Char[' ', '~']), 0, 60].Sample(text =>
    {
        try
        {
            Challenge.Parse(text);
        }
        catch (FormatException)
        {
            // That is the other answer.
        }
    }, iter: 20_000);
}
