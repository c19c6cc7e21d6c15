using Isolation.Nested;

namespace Isolation.Live.Tests;

/// <summary>Containers that start containers.</summary>
public sealed class NestingTests
{
    [Fact]
    public async Task Three_deep()
    {
        ContainerResult result = await NestedProgram.Container("depth", "2").WithHostName("deep2").ResultAsync();

        string[][] lines = [.. Sandbox.Output(result).Split('\n').Select(line => line.Split(' '))];
        Assert.Equal(["2", "1", "0"], lines.Select(words => words[0]));
        Assert.All(lines, words => Assert.Equal("1", words[1]));
        Assert.Equal(4, lines.Select(words => words[2]).Append(Processes.Namespace(Environment.ProcessId, "user")).Distinct().Count());
        Assert.Equal(["deep2", "deep1", "deep0"], lines.Select(words => words[3]));
    }

    [Fact]
    public async Task What_the_outer_wrote_and_mounted_is_the_inners_host()
    {
        ContainerBuilder outer = NestedProgram.Container("run", "--", "sh", "-c", "cat /opt/mounted/file /etc/written; echo inner > /etc/written; cat /etc/written");
        using TemporaryDirectory directory = new();
        directory.Write("file", "mounted\n");
        outer.WithBind(directory.Path, "/opt/mounted");
        string inner = string.Join(' ', outer.Build().Command.Select(word => $"'{word}'"));

        string[] lines = await outer.WithCommand("sh", "-c", $"echo outer > /etc/written; {inner} && cat /etc/written").LinesAsync();

        Assert.Equal(["mounted", "outer", "inner", "outer"], lines);
    }

    [Fact]
    public async Task Landlock_holds_in_a_container_in_a_container()
    {
        Assert.SkipUnless(HostFactsReader.Current.LandlockVersion > 0, "this kernel has no Landlock (Linux 5.13)");
        string[] lines = await NestedProgram.Container("run", "--landlock", "/tmp", "--", "sh", "-c", "echo open > /tmp/x && cat /tmp/x; echo shut > /var/tmp/x || echo refused").LinesAsync();

        Assert.Equal(["open", "refused"], lines);
    }

    [Fact]
    public async Task Without_the_masks_given_up_proc_of_the_inner_is_reported_as_a_fallback()
    {
        ContainerBuilder nesting = NestedProgram.Container("run", "--report", "--", "true");

        string[] lines = await nesting.LinesAsync();

        Assert.DoesNotContain("/proc: Fallback", lines);
    }
}
