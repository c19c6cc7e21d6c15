namespace Isolation.Images.Tests;

public class PlatformTests
{
    [Theory]
    [InlineData("linux/amd64", "linux/amd64")]
    [InlineData("linux/x86_64", "linux/amd64")]
    [InlineData("Linux/AMD64/v1", "linux/amd64")]
    [InlineData("linux/amd64/v3", "linux/amd64/v3")]
    [InlineData("linux/aarch64", "linux/arm64")]
    [InlineData("linux/arm64/v8", "linux/arm64")]
    [InlineData("linux/arm", "linux/arm/v7")]
    [InlineData("linux/armel", "linux/arm/v6")]
    [InlineData("linux/arm/6", "linux/arm/v6")]
    [InlineData("linux/i386", "linux/386")]
    public void Each_has_one_spelling(string text, string normalized) => Assert.Equal(normalized, Platform.Parse(text).ToString());

    [Theory]
    [InlineData("")]
    [InlineData("linux")]
    [InlineData("linux/")]
    [InlineData("/amd64")]
    [InlineData("linux/arm/v7/x")]
    [InlineData("linux/a b")]
    public void What_is_none_is_refused(string text)
    {
        Assert.False(Platform.TryParse(text, out _));
        Assert.Contains("linux/amd64", Assert.Throws<FormatException>(() => Platform.Parse(text)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("linux/amd64", "linux/arm64 linux/amd64 windows/amd64", 1)]
    [InlineData("linux/amd64", "linux/amd64/v3 linux/amd64", 1)] // what was made for more does not run
    [InlineData("linux/amd64/v3", "linux/amd64 linux/amd64/v2 linux/amd64/v4", 1)]
    [InlineData("linux/amd64/v3", "linux/amd64/v4", null)]
    [InlineData("linux/arm/v7", "linux/arm/v5 linux/arm/v6 linux/arm64", 1)]
    [InlineData("linux/arm/v6", "linux/arm/v7", null)]
    [InlineData("linux/arm64", "linux/arm64/v8 linux/arm64", 0)]
    [InlineData("linux/arm64", "linux/arm/v7", null)]
    [InlineData("linux/riscv64", "linux/riscv64", 0)]
    [InlineData("linux/s390x", "- linux/s390x", 1)] // an entry of an index that names none
    [InlineData("linux/s390x", "", null)]
    public void The_best_that_runs_is_chosen(string wanted, string offered, int? best) =>
        Assert.Equal(best, Platform.Parse(wanted).Choose([.. offered.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(text => text == "-" ? null : Platform.Parse(text))]));

    [Fact]
    public void That_of_this_process_is_one() => Assert.Equal(Platform.Current, Platform.Parse(Platform.Current.ToString()));
}
