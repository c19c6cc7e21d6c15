using System.Text;

namespace Isolation.Linux.Tests;

/// <summary>Field 22 of <c>/proc/[pid]/stat</c>, whatever the process calls itself.</summary>
public sealed class ProcessStartTimeTests
{
    private const string Rest = " S 1 7 7 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 1 0 987654 1000 10 18446744073709551615";

    [Theory]
    [InlineData("sh")]
    [InlineData("a b")]
    [InlineData(") Z 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 5 (")]
    [InlineData(")")]
    [InlineData("")]
    [InlineData("line\nfeed")]
    public void The_name_does_not_confuse(string name) =>
        Assert.Equal(987_654UL, ProcessStartTime.Parse(Encoding.UTF8.GetBytes($"7 ({name}){Rest}\n")));

    [Theory]
    [InlineData("")]
    [InlineData("7")]
    [InlineData("7 (sh)")]
    [InlineData("7 (sh) ")]
    [InlineData("7 (sh) S 1 7 7 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 1 0")]
    [InlineData("7 (sh) S 1 7 7 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 1 0 x")]
    public void Other_text_is_none(string text) => Assert.Null(ProcessStartTime.Parse(Encoding.UTF8.GetBytes(text)));

    [Fact]
    public void This_process_has_one_and_always_the_same()
    {
        ulong? start = ProcessStartTime.Read(Environment.ProcessId);
        Assert.NotNull(start);
        Assert.Equal(start, ProcessStartTime.Read(Environment.ProcessId));
        Assert.Null(ProcessStartTime.Read(int.MaxValue));
    }
}
