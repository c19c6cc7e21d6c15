namespace Isolation.Tests;

public class SubordinateIdsTests
{
    [Fact]
    public void Lines_of_the_user_by_name_or_number_are_taken_in_their_order() =>
        Assert.Equal([(100000u, 65536u), (300000u, 10u)], SubordinateIds.Parse("other:1:2\nme:100000:65536\n1000:300000:10\n", "me", 1000));

    [Theory]
    [InlineData("me:100000"), InlineData("me:x:1"), InlineData("me:1:0"), InlineData("me:4294967290:6"), InlineData("me:-1:5"), InlineData("# me:1:1"), InlineData("me:1:2:3"), InlineData("")]
    public void Lines_that_are_no_ranges_are_passed_over(string line) => Assert.Empty(SubordinateIds.Parse(line, "me", 1000));

    [Fact]
    public void Root_is_the_caller_and_the_ranges_follow_from_1() =>
        Assert.Equal([new(0, 1000, 1), new(1, 100000, 65536), new(65537, 300000, 10)], SubordinateIds.Map(1000, [(100000, 65536), (300000, 10)]));
}
