using System.Text;

namespace Isolation.Tests;

/// <summary>Records as text: what is written is read again, and what is not a record is told from what is.</summary>
public sealed class RecordTextTests
{
    private static readonly RecordHeader Header = new()
    {
        Version = RecordHeader.CurrentVersion,
        Id = "0123456789ab",
        Boot = "boot",
        PidNamespace = 4_026_531_836,
        TimeNamespace = 4_026_531_834,
        User = 1000,
        Owner = 42,
        Started = new DateTimeOffset(2024, 2, 29, 23, 59, 59, TimeSpan.Zero),
        OutlivesHost = true,
        Command = ["sh", "-c", "echo \"ü\n\0\ud83d\udc0b\""],
    };

    private static string Head => Encoding.UTF8.GetString(RecordWriter.Line(Header));

    private static string Process(int pid, ulong start) => Encoding.UTF8.GetString(RecordWriter.Line(ProcessRemover.Resource(pid, start)));

    private static RecordContent Parse(string text) => RecordText.Parse(Encoding.UTF8.GetBytes(text), ResourceRemovers.ProblemOf);

    [Fact]
    public void What_is_written_is_read_again()
    {
        RecordContent content = Parse(Head + Process(7, ulong.MaxValue) + Process(8, 0));

        Assert.Equal(RecordCondition.Complete, content.Condition);
        Assert.Equivalent(Header, content.Header, strict: true);
        Assert.Equal([(7, ulong.MaxValue), (8, 0UL)], content.Resources.Select(resource => ProcessRemover.Read(resource)!.Value));
    }

    [Fact]
    public void A_line_is_one_line_whatever_is_in_it()
    {
        Assert.Equal(Head.Length - 1, Head.IndexOf('\n', StringComparison.Ordinal));
        RecordHeader odd = new()
        {
            Version = 1, Id = "", Boot = "", PidNamespace = 0, TimeNamespace = 0, User = 0, Owner = 0, Started = default, OutlivesHost = false,
            Command = ["half of a pair: \ud83d", "\r\n\u2028"],
        };
        Assert.Equal(1, RecordWriter.Line(odd).Count(value => value == (byte)'\n'));
        Assert.Equal(RecordCondition.Complete, RecordText.Parse(RecordWriter.Line(odd), ResourceRemovers.ProblemOf).Condition);
    }

    [Fact]
    public void A_record_that_was_cut_anywhere_is_what_was_complete_of_it()
    {
        byte[] whole = Encoding.UTF8.GetBytes(Head + Process(7, 1) + Process(8, 2));
        int head = Encoding.UTF8.GetByteCount(Head), first = Encoding.UTF8.GetByteCount(Head + Process(7, 1));
        for (int length = 0; length <= whole.Length; length++)
        {
            RecordContent content = RecordText.Parse(whole.AsSpan(0, length), ResourceRemovers.ProblemOf);

            Assert.Equal(length < head ? RecordCondition.Empty : RecordCondition.Complete, content.Condition);
            Assert.Equal(length < first ? 0 : length < whole.Length ? 1 : 2, content.Resources.Count);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("\0\0\0\0")]
    [InlineData("""{"version":0,"id":"a"}""")]
    [InlineData("""{"version":"1"}""")]
    [InlineData("""{"version":1,"id":null,"boot":"b","pidNamespace":1,"timeNamespace":1,"user":0,"owner":1,"started":"2024-01-01T00:00:00Z","outlivesHost":false,"command":[]}""")]
    [InlineData("""{"version":1,"id":"a","boot":"b","pidNamespace":1,"timeNamespace":1,"user":0,"owner":1,"started":"2024-01-01T00:00:00Z","outlivesHost":false,"command":[null]}""")]
    [InlineData("""{"version":1,"id":"a","boot":"b","pidNamespace":-1,"timeNamespace":1,"user":0,"owner":1,"started":"2024-01-01T00:00:00Z","outlivesHost":false,"command":[]}""")]
    [InlineData("""{"version":1,"id":"a","boot":"b","pidNamespace":1,"timeNamespace":1,"user":0,"owner":1,"started":"never","outlivesHost":false,"command":[]}""")]
    public void A_complete_first_line_that_makes_no_sense_is_damage(string line)
    {
        RecordContent content = Parse(line + "\n");

        Assert.Equal((RecordCondition.Damaged, null), (content.Condition, content.Header));
        Assert.False(string.IsNullOrEmpty(content.Problem));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("""{"kind":"process"}""")]
    [InlineData("""{"kind":null,"parameters":{}}""")]
    [InlineData("""{"kind":"process","parameters":null}""")]
    [InlineData("""{"kind":"process","parameters":{}}""")]
    [InlineData("""{"kind":"process","parameters":{"pid":null,"start":"1"}}""")]
    [InlineData("""{"kind":"process","parameters":{"pid":"7"}}""")]
    [InlineData("""{"kind":"process","parameters":{"pid":"1","start":"1"}}""")]
    [InlineData("""{"kind":"process","parameters":{"pid":"0","start":"1"}}""")]
    [InlineData("""{"kind":"process","parameters":{"pid":"-7","start":"1"}}""")]
    [InlineData("""{"kind":"process","parameters":{"pid":"4294967303","start":"1"}}""")]
    [InlineData("""{"kind":"process","parameters":{"pid":" 7","start":"1"}}""")]
    [InlineData("""{"kind":"process","parameters":{"pid":"7","start":"x"}}""")]
    public void A_complete_further_line_that_makes_no_sense_is_damage(string line) =>
        Assert.Equal((RecordCondition.Damaged, 0), (Parse(Head + line + "\n" + Process(7, 1)).Condition, Parse(Head + line + "\n" + Process(7, 1)).Resources.Count));

    [Fact]
    public void A_newer_version_is_told_from_damage_whatever_else_it_holds()
    {
        Assert.Equal(RecordCondition.Newer, Parse("""{"version":2,"id":{"nothing":"we know"}}""" + "\n\0\0\n").Condition);
        RecordContent unknown = Parse(Head + """{"kind":"flux","parameters":{"a":"b"}}""" + "\n");
        Assert.Equal(RecordCondition.Newer, unknown.Condition);
        Assert.Contains("'flux'", unknown.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_line_may_hold_more_than_is_known() =>
        Assert.Equal(RecordCondition.Complete, Parse(Head.Insert(1, "\"more\":[1,2],")).Condition);

    [Fact]
    public void A_short_command_is_kept_and_a_long_one_cut()
    {
        Assert.Equal(["sh", "-c", "true"], RecordText.Bounded(["sh", "-c", "true"]));
        Assert.Equal([new string('a', RecordText.LongestCommand)], RecordText.Bounded([new string('a', RecordText.LongestCommand)]));
        IReadOnlyList<string> cut = RecordText.Bounded([.. Enumerable.Repeat(new string('b', 100), 1000)]);
        Assert.InRange(cut.Sum(argument => argument.Length), 900, RecordText.LongestCommand + 1);
        Assert.EndsWith("…", cut[^1], StringComparison.Ordinal);
        Assert.Equal("…", RecordText.Bounded([new string('a', RecordText.LongestCommand), "b"])[1]);
    }
}
