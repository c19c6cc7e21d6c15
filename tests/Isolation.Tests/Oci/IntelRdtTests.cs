using System.Text.Json;

namespace Isolation.Tests;

/// <summary>Classes of service, in a directory as resctrl has it: no machine here has the processor for it.</summary>
public sealed class IntelRdtTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("isolation-test-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void A_class_of_its_own_goes_with_the_container()
    {
        OciIntelRdt rdt = Read("""{ "l3CacheSchema": "L3:0=7f0;1=1f\nL3CODE:0=3", "memBwSchema": "MB:0=70", "schemata": ["L2:0=f"], "enableMonitoring": true }""");

        rdt.Join(_root, "one", 4711);

        Assert.Equal("L3:0=7f0;1=1f\nL3CODE:0=3\nMB:0=70\nL2:0=f\n", Text("one/schemata"));
        Assert.Equal("4711", Text("one/tasks"));
        Assert.Equal("4711", Text("one/mon_groups/one/tasks"));

        // The kernel's files go with their directories.
        foreach (string file in (string[])["one/mon_groups/one/tasks", "one/schemata", "one/tasks"]) File.Delete(Path.Join(_root, file));
        rdt.Leave(_root, "one");
        Assert.False(Directory.Exists(Path.Join(_root, "one/mon_groups/one")));
        Directory.Delete(Path.Join(_root, "one/mon_groups"));
        rdt.Leave(_root, "one");
        Assert.False(Directory.Exists(Path.Join(_root, "one")));
        rdt.Leave(_root, "one");
    }

    [Fact]
    public void A_class_that_others_share_is_compared_and_stays()
    {
        Write("gold/schemata", "    L3:0=0f0;1=00f\n    MB:0=100\n");

        OciIntelRdt same = Read("""{ "closID": "gold", "l3CacheSchema": "L3:0=F0" }""");
        same.Join(_root, "one", 1);
        Assert.Equal("1", Text("gold/tasks"));
        Assert.Equal("    L3:0=0f0;1=00f\n    MB:0=100\n", Text("gold/schemata"));
        same.Leave(_root, "one");
        Assert.True(Directory.Exists(Path.Join(_root, "gold")));

        foreach ((string schema, string told) in (ReadOnlySpan<(string, string)>)[("L3:0=f0;1=f0", "L3:1=f, and not f0"), ("L3:7=f", "L3:7=nothing, and not f")])
        {
            OciRuntimeException refused = Assert.Throws<OciRuntimeException>(() => Read($$"""{ "closID": "gold", "schemata": ["{{schema}}"] }""").Join(_root, "two", 2));
            Assert.Contains(told, refused.Message, StringComparison.Ordinal);
            Assert.Equal("1", Text("gold/tasks"));
        }
    }

    [Fact]
    public void A_class_that_is_not_there_is_made_of_its_schemata_or_is_an_error()
    {
        Read("""{ "closID": "new", "schemata": ["MB:0=50"] }""").Join(_root, "one", 1);
        Assert.Equal("MB:0=50\n", Text("new/schemata"));
        Read("""{ "closID": "new" }""").Join(_root, "one", 2);
        Assert.Equal("2", Text("new/tasks"));
        Assert.Contains("there is no class 'none'", Assert.Throws<OciRuntimeException>(() => Read("""{ "closID": "none" }""").Join(_root, "one", 1)).Message, StringComparison.Ordinal);
        Read("""{ "closID": "/" }""").Join(_root, "one", 3);
        Assert.Equal("3", Text("tasks"));
    }

    [Fact]
    public void What_the_kernel_says_of_its_refusal_is_passed_on()
    {
        Write("info/last_cmd_status", "non-hex character in the mask gx\n");
        File.WriteAllText(Path.Join(_root, "one"), "no directory");
        Assert.EndsWith("(the kernel says: non-hex character in the mask gx)", Assert.Throws<OciRuntimeException>(() => Read("{}").Join(_root, "one", 1)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{ "closID": ".." }""", "$.linux.intelRdt.closID: '..' is no name")]
    [InlineData("""{ "closID": "a/b" }""", "$.linux.intelRdt.closID: 'a/b' is no name")]
    [InlineData("""{ "memBwSchema": "L3:0=f" }""", "$.linux.intelRdt.memBwSchema: it is to begin with 'MB:'")]
    [InlineData("""{ "schemata": "L3:0=f" }""", "$.linux.intelRdt.schemata: it is to be an array")]
    [InlineData("""{ "enableMonitoring": 1 }""", "$.linux.intelRdt.enableMonitoring: it is to be true or false")]
    public void What_is_wrong_is_said_with_its_place(string json, string expected) =>
        Assert.StartsWith(expected, Assert.Throws<FormatException>(() => Read(json)).Message, StringComparison.Ordinal);

    private static OciIntelRdt Read(string json) => OciIntelRdt.Read(new OciNode(JsonDocument.Parse($$"""{ "intelRdt": {{json}} }""").RootElement, "$.linux"))!;

    private string Text(string file) => File.ReadAllText(Path.Join(_root, file));

    private void Write(string file, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.Join(_root, file))!);
        File.WriteAllText(Path.Join(_root, file), text);
    }
}
