namespace Isolation.Live.Tests;

/// <summary>The same containers under other OCI runtimes.</summary>
public sealed class RuntimeTests
{
    public static TheoryData<string> Runtimes => ["runc", "crun", "runsc"];

    private static OciRuntime Of(string name)
    {
        Assert.SkipUnless(File.Exists($"/usr/sbin/{name}") || File.Exists($"/usr/bin/{name}"), $"there is no {name}: install it");
        if (name == "runsc") Lane.RequiresRoot("runsc makes its sandbox as root");
        if (name == "runc") Lane.RequiresRoot("runc makes control groups");
        return name switch { "runc" => OciRuntime.Runc, "crun" => OciRuntime.Crun, _ => OciRuntime.Gvisor };
    }

    private static ContainerBuilder Shell(TestRoot root, string name, string script) => new ContainerBuilder().FromDirectory(root.Path).WithRuntime(Of(name)).WithCommand("/bin/sh", "-c", script);

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task Its_output_input_and_exit_code_are_the_programs(string name)
    {
        using TestRoot root = new();
        ContainerResult result = await Shell(root, name, "cat; echo wrong >&2; hostname; echo $NAME; pwd; exit 5").WithHostName("box").WithEnvironment("NAME", "value").WithWorkingDirectory("/bin").WithInput(InputSource.FromText("typed\n")).RunAsync(Sandbox.Token);
        Assert.Equal("typed\nbox\nvalue\n/bin\n", result.StandardOutput);
        Assert.Equal("wrong\n", result.StandardError);
        Assert.Equal(5, result.ExitCode);
    }

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task Further_programs_run_in_it_and_it_is_stopped_and_killed(string name)
    {
        using TestRoot root = new();
        await using Container container = await Shell(root, name, "trap 'exit 3' TERM; echo ready; while :; do sleep 0.1; done").WithHostName("box").WithOutput(OutputTarget.Pipe).StartAsync(Sandbox.Token);
        await foreach (OutputLine line in container.ReadLinesAsync(Sandbox.Token)) if (line.Text == "ready") break;
        ContainerResult inside = await container.ExecAsync(["sh", "-c", "hostname; id -u; exit 4"], Sandbox.Token);
        Assert.Equal(("box\n0\n", 4), (inside.StandardOutput, inside.ExitCode));
        inside = await container.NewProcess().WithCommand("sh", "-c", "echo $A; pwd").WithEnvironment("A", "b c").WithWorkingDirectory("/bin").RunAsync(Sandbox.Token);
        Assert.True(inside.Succeeded, inside.StandardError);
        Assert.Equal("b c\n/bin\n", inside.StandardOutput);
        Assert.Equal(3, (await container.StopAsync(cancellationToken: Sandbox.Token)).ExitCode);

        await using Container killed = await Shell(root, name, "exec sleep 1000").StartAsync(Sandbox.Token);
        Assert.True(killed.IsRunning);
        await killed.KillAsync(Sandbox.Token);
        Assert.Equal(ContainerOutcome.Killed, (await killed.WaitAsync(Sandbox.Token)).Outcome);
    }

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task It_is_isolated_as_the_spec_says(string name)
    {
        using TestRoot root = new();
        using TemporaryDirectory shared = new();
        Directory.CreateDirectory(shared["in"]);
        File.WriteAllText(shared["in/file"], "of the host\n");
        ContainerResult result = await Shell(root, name, "ls /; cat /in/file; echo x > /in/file; echo x > /x; echo y > /tmp/y && cat /tmp/y; ls /proc | grep -c '^[0-9]'").WithBind(shared["in"], "/in", new() { ReadOnly = true }).RunAsync(Sandbox.Token);
        Assert.Contains("of the host\n", result.StandardOutput, StringComparison.Ordinal);
        Assert.Contains("\ny\n", result.StandardOutput, StringComparison.Ordinal);
        Assert.DoesNotContain("boot\n", result.StandardOutput, StringComparison.Ordinal);
        Assert.Equal(2, result.StandardError.Split("Read-only file system").Length - 1);
        Assert.True(int.Parse(result.StandardOutput.TrimEnd().Split('\n')[^1]) < 6, result.StandardOutput);
        Assert.Equal("of the host\n", File.ReadAllText(shared["in/file"]));
    }

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task The_hosts_files_and_layers_are_its_root_and_keep_nothing_of_what_it_writes(string name)
    {
        OciRuntime runtime = Of(name);
        Lane.RequiresRoot("layers are united by root");
        ContainerResult host = await Sandbox.HostShell("echo changed > /etc/os-release; cat /etc/os-release; cat /etc/hostname").WithHostName("box").WithRuntime(runtime).RunAsync(Sandbox.Token);
        Assert.Equal("changed\nbox\n", host.StandardOutput);
        Assert.DoesNotContain("changed", File.ReadAllText("/etc/os-release"), StringComparison.Ordinal);
        using TestRoot root = new();
        ContainerResult layers = await new ContainerBuilder().FromLayers([root.Path]).WithRuntime(runtime).WithCommand("/bin/sh", "-c", "echo made > /made; cat /made; rm /bin/ls; test -e /bin/ls").RunAsync(Sandbox.Token);
        Assert.Equal("made\n", layers.StandardOutput);
        Assert.True(Path.Exists(root["bin/ls"]));
    }

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task Limits_bite_and_figures_are_read(string name)
    {
        using TestRoot root = new();
        ContainerBuilder builder = Shell(root, name, "exec sleep 1000");
        Lane.RequiresRoot("a control group of one's own");
        await using Container container = await builder.WithMemoryLimit(512 << 20).WithPidsLimit(200).StartAsync(Sandbox.Token);
        Assert.True(container.ReadStats().Memory.Usage > 0);
        Assert.True(container.ReadStats().Pids.Current > 1);
        string group = File.ReadAllText($"/proc/{container.ProcessId}/cgroup");
        await container.DisposeAsync();
        Assert.Contains("isolation-", group, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task What_the_runtime_refuses_is_said_in_its_words(string name)
    {
        using TestRoot root = new();
        ContainerException failure = await Assert.ThrowsAsync<ContainerException>(() => new ContainerBuilder().FromDirectory(root.Path).WithRuntime(Of(name)).WithCommand("/nothere").RunAsync(Sandbox.Token));
        Assert.Contains("nothere", failure.Message, StringComparison.Ordinal);
        failure = await Assert.ThrowsAsync<ContainerException>(() => new ContainerBuilder().FromDirectory(root.Path).WithRuntime(Of(name)).WithCommand("/nothere").StartAsync(Sandbox.Token));
        Assert.Contains("does not start the container", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_ignored_is_told_and_what_cannot_be_is_refused_before_anything_is_made()
    {
        using TestRoot root = new();
        if (Lane.IsRoot)
        {
            await using Container container = await Shell(root, "runsc", "exec sleep 1000").StartAsync(Sandbox.Token);
            Assert.Contains(container.Enforcement, entry => entry is { Feature: "seccomp", State: EnforcementState.Fallback });
            Assert.Contains("that runtime's", Assert.Throws<InvalidOperationException>(() => container.Files).Message, StringComparison.Ordinal);
        }

        ContainerBuilder builder = new ContainerBuilder().FromDirectory(root.Path).WithCommand("/bin/true");
        Assert.Equal(ContainerErrorReason.ProgramNotFound, (await Assert.ThrowsAsync<ContainerException>(() => builder.WithRuntime(OciRuntime.At("/nowhere/runtime")).RunAsync(Sandbox.Token))).Reason);
        Assert.Contains("cannot be given a Landlock policy", (await Assert.ThrowsAsync<ContainerException>(() => builder.WithLandlock(LandlockPolicy.Of(["/"], [])).RunAsync(Sandbox.Token))).Message, StringComparison.Ordinal);
    }
}
