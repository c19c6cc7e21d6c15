using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Isolation.Live.Tests;

/// <summary>The command line, where it is more than the library.</summary>
public sealed class OciCommandTests
{
    private static readonly string[] Names = ["create", "start", "run", "exec", "state", "list", "ps", "kill", "delete", "pause", "resume", "update", "events", "spec", "features"];

    [Fact]
    public async Task Each_command_says_what_it_takes()
    {
        using TemporaryDirectory directory = new();
        foreach (string name in Names)
        {
            (int code, string output, string error) = await RunAsync(directory, name, "--help");
            Assert.Equal((0, ""), (code, error));
            Assert.StartsWith($"NAME:\n   isolation-runtime {name} - ", output, StringComparison.Ordinal);
        }

        (_, string all, _) = await RunAsync(directory, "--help");
        Assert.All(Names, name => Assert.Contains($"\n   {name} ", all, StringComparison.Ordinal));
        (int unknown, _, string message) = await RunAsync(directory, "nothing", "-h");
        Assert.Equal(1, unknown);
        Assert.Contains("No help topic for 'nothing'", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Containers_are_listed_as_a_table_as_names_and_as_json()
    {
        using TemporaryDirectory directory = new();
        using Bundle bundle = new("/bin/sleep", "1000");
        await bundle.CreateAsync("listed");
        string table = await AskAsync("list"), number = bundle.Containers.GetState("listed").ProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"], table.Split('\n')[0].Split(' ', StringSplitOptions.RemoveEmptyEntries));
        string[] row = table.Split('\n')[1].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["listed", number, "created", bundle.Path, row[4], Environment.UserName], row);
        Assert.Equal("listed\n", await AskAsync("list", "-q"));
        Assert.Equal("listed", JsonNode.Parse(await AskAsync("list", "--format=json"))![0]!["id"]!.GetValue<string>());
        Assert.Equal([int.Parse(number, System.Globalization.CultureInfo.InvariantCulture)], JsonNode.Parse(await AskAsync("ps", "-f", "json", "listed"))!.AsArray().Select(id => id!.GetValue<int>()));

        foreach (string[] words in (string[][])[["list", "--format", "yaml"], ["ps", "--format", "yaml", "listed"], ["--log-format", "yaml", "list"], ["--rootless", "perhaps", "list"], ["events", "--interval", "5", "listed"]])
        {
            (int code, string output, string error) = await RunAsync(bundle, words);
            Assert.Equal((1, ""), (code, output));
            Assert.Contains("invalid ", error, StringComparison.Ordinal);
        }

        async Task<string> AskAsync(params string[] words)
        {
            (int code, string output, string error) = await RunAsync(bundle, words);
            Assert.Equal((0, ""), (code, error));
            return output;
        }
    }

    [Fact]
    public async Task A_log_has_a_line_for_each_error_and_with_debug_for_each_command()
    {
        using TemporaryDirectory directory = new();
        Assert.Equal(1, (await RunAsync(directory, "--debug", "--log", directory["log"], "state", "no\nne")).ExitCode);
        string[] lines = File.ReadAllLines(directory["log"]);
        Assert.Contains("level=debug msg=\"--root ", lines[0], StringComparison.Ordinal);
        Assert.Contains("level=error msg=\"invalid container id", Assert.Single(lines[1..]), StringComparison.Ordinal);
        Assert.Equal(1, (await RunAsync(directory, "--log", directory["json"], "--log-format", "json", "state", "no\nne")).ExitCode);
        Assert.Equal("error", JsonNode.Parse(Assert.Single(File.ReadAllLines(directory["json"])))!["level"]!.GetValue<string>());
    }

    [Fact]
    public async Task Limits_have_units_and_memory_that_runs_out_is_told()
    {
        Lane.RequiresRoot("a control group of one's own");
        using TemporaryDirectory directory = new();
        string group = "isolation-oci-events-" + Environment.ProcessId;
        using Bundle bundle = Bundle.Shell("while ! [ -e /out/go ]; do sleep 0.02; done; head -c 200000000 /dev/zero | tail; sleep 1000");
        bundle.Config["linux"]!["cgroupsPath"] = $"/{group}";
        await bundle.CreateAsync("one");
        await bundle.Containers.StartAsync("one", Sandbox.Token);
        foreach ((string size, long bytes) in new[] { ("48M", 48L << 20), ("0.5GiB", 512L << 20), ("33554432", 32L << 20) })
        {
            Assert.Equal((0, "", ""), await RunAsync(bundle, "update", "--memory", size, "--memory-swap", size, "one"));
            Assert.Equal(bytes, bundle.Containers.ReadStats("one").Memory.Limit);
        }

        foreach (string size in (string[])["1X", "", "M", "-5", "1,5G", "9999999P"])
            Assert.Contains("invalid value", (await RunAsync(bundle, "update", "--memory", size, "one")).Error, StringComparison.Ordinal);
        Assert.Contains("--kernel-memory changes nothing", (await RunAsync(bundle, "update", "--kernel-memory", "5", "one")).Error, StringComparison.Ordinal);

        using Process events = Sandbox.StartOnHost(Path.Join(AppContext.BaseDirectory, "isolation-runtime"), "--root", bundle.Containers.Directory, "events", "--interval", "100ms", "one");
        Assert.StartsWith("{\"type\":\"stats\",\"id\":\"one\",\"data\":{", await events.StandardOutput.ReadLineAsync(Sandbox.Token), StringComparison.Ordinal);
        Assert.StartsWith("{\"type\":\"stats\"", await events.StandardOutput.ReadLineAsync(Sandbox.Token), StringComparison.Ordinal);
        File.WriteAllText(bundle["out/go"], "");
        string? line;
        do line = await events.StandardOutput.ReadLineAsync(Sandbox.Token);
        while (line is not null and not "{\"type\":\"oom\",\"id\":\"one\"}");
        Assert.NotNull(line);
        await bundle.Containers.DeleteAsync("one", force: true, Sandbox.Token);
        await events.WaitForExitAsync(Sandbox.Token);
        Assert.Equal(0, events.ExitCode);
    }

    private static Task<(int ExitCode, string Output, string Error)> RunAsync(TemporaryDirectory directory, params string[] words) => RunAsync(directory["state"], words);

    private static Task<(int ExitCode, string Output, string Error)> RunAsync(Bundle bundle, params string[] words) => RunAsync(bundle.Containers.Directory, words);

    private static Task<(int ExitCode, string Output, string Error)> RunAsync(string root, string[] words) =>
        Sandbox.OnHostAsync(Path.Join(AppContext.BaseDirectory, "isolation-runtime"), ["--root", root, .. words]);
}
