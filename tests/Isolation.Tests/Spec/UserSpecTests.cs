namespace Isolation.Tests;

public class UserSpecTests
{
    [Theory]
    [InlineData("root", "root", null), InlineData("1000", "1000", null), InlineData("www-data:adm", "www-data", "adm"), InlineData("0:4294967294", "0", "4294967294"), InlineData("-1", "-1", null)]
    public void Is_a_user_and_perhaps_a_group(string text, string user, string? group)
    {
        UserSpec spec = UserSpec.Parse(text);
        Assert.Equal((user, group), (spec.User, spec.Group));
        Assert.Equal(text, spec.ToString());
    }

    [Theory]
    [InlineData(":"), InlineData("a:"), InlineData(":b"), InlineData("a:b:c"), InlineData("a\nb"), InlineData("4294967295"), InlineData("1:4294967295"), InlineData("18446744073709551616")]
    public void Refuses_what_is_neither_a_name_nor_an_id(string text) => Assert.Throws<ArgumentException>(() => UserSpec.Parse(text));
}
