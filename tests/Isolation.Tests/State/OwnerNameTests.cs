namespace Isolation.Tests;

/// <summary>The names of owners' directories.</summary>
public sealed class OwnerNameTests
{
    [Fact]
    public void A_name_is_read_as_it_was_written()
    {
        OwnerName name = OwnerName.New();

        Assert.Equal(name, OwnerName.Parse(name.ToString()));
        Assert.Equal(Environment.ProcessId, name.ProcessId);
        Assert.NotEqual(name, OwnerName.New());
        Assert.False(name.IsGone);
    }

    [Fact]
    public void Another_start_time_is_another_process_and_another_namespace_cannot_be_told_of()
    {
        OwnerName name = OwnerName.New();

        Assert.True((name with { StartTime = name.StartTime + 1 }).IsGone);
        Assert.False((name with { StartTime = name.StartTime + 1, PidNamespace = 1 }).IsGone);
        Assert.False((name with { StartTime = name.StartTime + 1, TimeNamespace = 1 }).IsGone);
    }

    [Theory]
    [InlineData("")]
    [InlineData("1-2-3-4")]
    [InlineData("1-2-3-4-abcdefgh-5")]
    [InlineData("1-2-3-4-abc")]
    [InlineData("x-2-3-4-abcdefgh")]
    [InlineData("1--3-4-abcdefgh")]
    [InlineData("99999999999-2-3-4-abcdefgh")]
    public void Other_names_are_none(string name) => Assert.Null(OwnerName.Parse(name));
}
