using System.Text.Json.Nodes;

namespace Isolation.Live.Tests;

/// <summary>Containers of bundles, from their making to their deletion.</summary>
[Trait("Lane", "VM")]
public sealed class OciRuntimeTests
{
    [Fact]
    public async Task A_container_is_made_started_and_deleted_and_its_state_says_where_it_is()
    {
        using Bundle bundle = Bundle.Shell("echo started > /out/text; exec sleep 1000");
        bundle.Config["annotations"] = new JsonObject { ["org.example"] = "value" };
        OciProgram program = await bundle.CreateAsync("life");
        OciState created = bundle.Containers.GetState("life");
        Assert.Equal((OciStatus.Created, program.ProcessId, bundle.Path, "value"), (created.Status, created.ProcessId, created.Bundle, created.Annotations["org.example"]));
        Assert.Equal("", bundle.Output);

        await bundle.Containers.StartAsync("life", Sandbox.Token);
        for (int i = 0; bundle.Output.Length == 0 && i < 500; i++) await Task.Delay(10, Sandbox.Token);
        Assert.Equal("started\n", bundle.Output);
        Assert.Equal(OciStatus.Running, bundle.Containers.GetState("life").Status);
        Assert.Contains(program.ProcessId, bundle.Containers.Processes("life"));
        Assert.Contains("not stopped", (await Assert.ThrowsAsync<OciRuntimeException>(() => bundle.Containers.DeleteAsync("life", cancellationToken: Sandbox.Token))).Message, StringComparison.Ordinal);
        Assert.Contains("is to be created", (await Assert.ThrowsAsync<OciRuntimeException>(() => bundle.Containers.StartAsync("life", Sandbox.Token))).Message, StringComparison.Ordinal);

        bundle.Containers.Kill("life", 9);
        Assert.Equal(9, (await program.WaitAsync(Sandbox.Token)).Signal);
        OciState stopped = bundle.Containers.GetState("life");
        Assert.Equal((OciStatus.Stopped, 0), (stopped.Status, stopped.ProcessId));
        Assert.Contains("not running", Assert.Throws<OciRuntimeException>(() => bundle.Containers.Kill("life", 15)).Message, StringComparison.Ordinal);
        await bundle.Containers.DeleteAsync("life", cancellationToken: Sandbox.Token);
        Assert.Contains("does not exist", Assert.Throws<OciRuntimeException>(() => bundle.Containers.GetState("life")).Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(bundle.Containers.Directory));
    }

    [Fact]
    public async Task What_the_configuration_says_is_what_the_program_sees()
    {
        using Bundle bundle = Bundle.Shell("{ hostname; id -u; pwd; echo $NAME; umask; ulimit -n; grep -E '^(NoNewPrivs|CapBnd|CapEff)' /proc/self/status; cat /proc/self/mountinfo | cut -d' ' -f5; readlink /dev/fd; echo x > /x; } > /out/text 2>&1; true");
        bundle.Config["hostname"] = "tester";
        bundle.Config["process"]!["cwd"] = "/tmp";
        bundle.Config["process"]!["env"]!.AsArray().Add((JsonNode)"NAME=value");
        bundle.Config["process"]!["user"]!["umask"] = 63;
        bundle.Config["process"]!["rlimits"]![0]!["soft"] = 500;
        bundle.Config["mounts"]!.AsArray().Add(JsonNode.Parse("""{"destination":"/tmp","type":"tmpfs","source":"tmpfs","options":["nosuid","mode=700"]}"""));

        Assert.Equal(0, (await bundle.RunAsync()).ExitCode);
        string[] lines = bundle.Output.TrimEnd().Split('\n');
        Assert.Equal(["tester", "0", "/tmp", "value", "0077", "500"], lines[..6]);
        Assert.Contains("NoNewPrivs:\t1", lines);
        Assert.Contains("CapEff:\t0000000020000420", lines);
        foreach (string place in (string[])["/", "/proc", "/dev", "/dev/pts", "/dev/shm", "/sys", "/tmp", "/out"]) Assert.Contains(place, lines);
        Assert.Contains("/proc/self/fd", lines);
        Assert.Contains("Read-only file system", lines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Hooks_are_run_in_their_order_with_the_state_and_one_that_fails_leaves_nothing()
    {
        using Bundle bundle = Bundle.Shell("true");
        string told = bundle["told"];
        foreach (string point in (string[])["prestart", "createRuntime", "poststart", "poststop"])
            bundle.Hook(point, $"read -r state; echo {point} $0 $(echo $state | grep -o '\"status\":\"[a-z]*\"') >> {told}");
        Assert.Equal(0, (await bundle.RunAsync()).ExitCode);
        Assert.Equal(["prestart hook \"status\":\"creating\"", "createRuntime hook \"status\":\"creating\"", "poststart hook \"status\":\"running\"", "poststop hook \"status\":\"stopped\""], File.ReadAllLines(told));

        bundle.Hook("createRuntime", "echo no luck >&2; exit 7");
        string failure = await bundle.RefusalAsync();
        Assert.Contains("createRuntime", failure, StringComparison.Ordinal);
        Assert.Contains("no luck", failure, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(bundle.Containers.Directory));
    }

    [Fact]
    public async Task A_hook_that_hangs_is_killed_when_its_time_is_over()
    {
        using Bundle bundle = Bundle.Shell("true");
        bundle.Hook("createRuntime", "sleep 1000", timeout: 1);
        Assert.Contains("timeout of 1 s", await bundle.RefusalAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Hooks_of_the_container_are_run_in_its_namespaces()
    {
        using Bundle bundle = Bundle.Shell("true");
        string told = bundle["out/told"];
        bundle.Config["hostname"] = "inside";
        bundle.Hook("createContainer", $"readlink /proc/self/ns/pid > {told}");
        bundle.Hook("startContainer", "test -d /out && echo at its root > /out/text", name: "sh");
        Assert.Equal(0, (await bundle.RunAsync()).ExitCode);
        Assert.NotEqual(new FileInfo("/proc/self/ns/pid").LinkTarget, File.ReadAllText(told).TrimEnd());
        Assert.Equal("at its root\n", bundle.Output);
    }

    [Fact]
    public async Task A_further_program_has_what_the_first_has_and_what_it_asks_for()
    {
        using Bundle bundle = Bundle.Shell("exec sleep 1000");
        bundle.Config["hostname"] = "inside";
        await bundle.CreateAsync("exec");
        await bundle.Containers.StartAsync("exec", Sandbox.Token);
        OciProgram program = await bundle.Containers.ExecAsync("exec", new() { Command = ["sh", "-c", "{ hostname; echo $NAME; pwd; grep NoNewPrivs /proc/self/status; } > /out/text; exit 5"], Environment = ["NAME=value"], WorkingDirectory = "/bin" }, Sandbox.Token);

        Assert.Equal(5, (await program.WaitAsync(Sandbox.Token)).ExitCode);
        Assert.Equal("inside\nvalue\n/bin\nNoNewPrivs:\t1\n", bundle.Output);
        string missing = (await Assert.ThrowsAsync<OciRuntimeException>(() => bundle.Containers.ExecAsync("exec", new() { Command = ["nothere"] }, Sandbox.Token))).Message;
        Assert.Contains("'nothere' is not in the container", missing, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_program_that_is_not_there_is_said_before_anybody_is_told_to_start_it()
    {
        using Bundle bundle = new("/bin/nothere");
        Assert.Contains("'/bin/nothere' is not in the container", await bundle.RefusalAsync(), StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(bundle.Containers.Directory));
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("../up")]
    [InlineData("a/b")]
    [InlineData("a b")]
    [InlineData("a\n")]
    [InlineData("a\u001b[31m")]
    public async Task An_id_that_is_a_path_or_worse_is_refused(string id)
    {
        using Bundle bundle = Bundle.Shell("true");
        Assert.Contains("invalid container id", await bundle.RefusalAsync(id), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_id_is_given_once_and_two_commands_at_once_come_one_after_the_other()
    {
        using Bundle bundle = Bundle.Shell("exec sleep 1000");
        OciCreateOptions options = bundle.Write();
        Task<OciProgram>[] making = [.. Enumerable.Range(0, 8).Select(_ => bundle.Containers.CreateAsync("same", options, Sandbox.Token))];
        await ((Task)Task.WhenAll(making)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        Assert.Equal(1, making.Count(made => made.IsCompletedSuccessfully));
        Assert.All(making.Where(made => made.IsFaulted), made => Assert.Contains("exists already", made.Exception!.InnerException!.Message, StringComparison.Ordinal));

        Task[] starting = [.. Enumerable.Range(0, 8).Select(_ => bundle.Containers.StartAsync("same", Sandbox.Token))];
        await Task.WhenAll(starting).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        Assert.Equal(1, starting.Count(started => started.IsCompletedSuccessfully));
    }

    [Fact]
    public async Task What_a_killed_maker_or_a_damaged_record_left_can_be_deleted()
    {
        using Bundle bundle = Bundle.Shell("exec sleep 1000");
        await bundle.CreateAsync("whole");
        Directory.CreateDirectory(Path.Join(bundle.Containers.Directory, "begun"));
        Directory.CreateDirectory(Path.Join(bundle.Containers.Directory, "damaged"));
        await File.WriteAllTextAsync(Path.Join(bundle.Containers.Directory, "damaged/state.json"), "{\"format\": 1, \"id\": 5", Sandbox.Token);
        Directory.CreateDirectory(Path.Join(bundle.Containers.Directory, "later"));
        await File.WriteAllTextAsync(Path.Join(bundle.Containers.Directory, "later/state.json"), "{\"format\": 99}", Sandbox.Token);

        Assert.Equal(OciStatus.Creating, bundle.Containers.GetState("begun").Status);
        Assert.Contains("is damaged", Assert.Throws<OciRuntimeException>(() => bundle.Containers.GetState("damaged")).Message, StringComparison.Ordinal);
        Assert.Contains("later version", Assert.Throws<OciRuntimeException>(() => bundle.Containers.GetState("later")).Message, StringComparison.Ordinal);
        foreach (string id in (string[])["begun", "damaged", "later"]) await bundle.Containers.DeleteAsync(id, force: true, Sandbox.Token);
        Assert.Equal(["whole"], bundle.Containers.List().Select(state => state.Id));
        await bundle.Containers.DeleteAsync("none", force: true, Sandbox.Token);
    }

    [Fact]
    public async Task A_number_that_another_process_has_by_now_is_not_the_containers()
    {
        using Bundle bundle = Bundle.Shell("exec sleep 1000");
        OciProgram program = await bundle.CreateAsync("reused");
        string path = Path.Join(bundle.Containers.Directory, "reused/state.json"), text = await File.ReadAllTextAsync(path, Sandbox.Token);
        JsonObject record = JsonNode.Parse(text)!.AsObject();
        record["startTime"] = (ulong)record["startTime"]! + 1;
        await File.WriteAllTextAsync(path, record.ToJsonString(), Sandbox.Token);

        Assert.Equal(OciStatus.Stopped, bundle.Containers.GetState("reused").Status);
        Assert.Throws<OciRuntimeException>(() => bundle.Containers.Kill("reused", 9));
        await File.WriteAllTextAsync(path, text, Sandbox.Token);
        bundle.Containers.Kill("reused", 9);
        await program.WaitAsync(Sandbox.Token);
    }

    [Fact]
    public async Task It_is_paused_limited_and_measured_where_it_has_a_control_group()
    {
        Lane.RequiresRoot("a control group of one's own");
        using Bundle bundle = Bundle.Shell("exec sleep 1000");
        bundle.Config["linux"]!["resources"]!["memory"] = new JsonObject { ["limit"] = 64 << 20, ["swap"] = 0 };
        bundle.Config["linux"]!["cgroupsPath"] = $"/isolation-oci-test-{Environment.ProcessId}/one";
        OciProgram program = await bundle.CreateAsync("group");
        await bundle.Containers.StartAsync("group", Sandbox.Token);
        Assert.Equal(64 << 20, bundle.Containers.ReadStats("group").Memory.Limit);
        bundle.Containers.Update("group", """{"memory":{"limit":33554432,"swap":-1,"kernel":0},"cpu":{"shares":0,"cpus":""}}""");
        Assert.Equal(32 << 20, bundle.Containers.ReadStats("group").Memory.Limit);
        await bundle.Containers.PauseAsync("group", Sandbox.Token);
        Assert.Equal(OciStatus.Paused, bundle.Containers.GetState("group").Status);
        bundle.Containers.Resume("group");
        Assert.Equal(OciStatus.Running, bundle.Containers.GetState("group").Status);
        await bundle.Containers.PauseAsync("group", Sandbox.Token);
        bundle.Containers.Kill("group", 9);
        Assert.Equal(9, (await program.WaitAsync(Sandbox.Token)).Signal);
        await bundle.Containers.DeleteAsync("group", cancellationToken: Sandbox.Token);
        foreach (string mount in (string[])[.. Directory.GetDirectories("/sys/fs/cgroup"), "/sys/fs/cgroup"])
            if (Directory.Exists($"{mount}/isolation-oci-test-{Environment.ProcessId}")) Directory.Delete($"{mount}/isolation-oci-test-{Environment.ProcessId}");
    }
}
