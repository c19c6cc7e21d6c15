using System.Text.Json.Nodes;

namespace Isolation.Live.Tests;

/// <summary>Configurations that this process runs itself, and specs that become configurations.</summary>
public sealed class OciSpecTests
{
    private static ContainerSpec Read(Bundle bundle) => ContainerSpec.FromOci(File.ReadAllText(Path.Join(bundle.Write().Bundle, "config.json")), bundle.Path);

    [Fact]
    public async Task A_configuration_is_run_and_its_output_captured()
    {
        using Bundle bundle = Bundle.Shell("hostname; id -u; pwd; exit 4");
        bundle.Config["hostname"] = "read";
        bundle.Config["process"]!["cwd"] = "/bin";
        ContainerResult result = await Read(bundle).RunAsync(Sandbox.Token);
        Assert.Equal(4, result.ExitCode);
        Assert.Equal("read\n0\n/bin\n", result.StandardOutput);
    }

    [Fact]
    public async Task Hooks_are_run_around_it_and_one_that_fails_ends_it()
    {
        using Bundle bundle = Bundle.Shell("echo program >> /out/text");
        string told = bundle["out/text"];
        foreach (string point in (string[])["prestart", "createRuntime", "createContainer", "poststart", "poststop"])
            bundle.Hook(point, $"read -r state; echo {point} $(echo $state | grep -o '\"status\":\"[a-z]*\"') >> {told}");
        bundle.Hook("startContainer", "read -r state; echo startContainer >> /out/text", name: "sh");
        await using (Container container = await Read(bundle).StartAsync(Sandbox.Token)) await container.WaitAsync(Sandbox.Token);
        string[] lines = bundle.Output.TrimEnd().Split('\n');
        Assert.Equal(["prestart \"status\":\"creating\"", "createRuntime \"status\":\"creating\"", "createContainer \"status\":\"creating\"", "startContainer"], lines[..4]);
        Assert.Equal(["poststart \"status\":\"running\"", "program"], lines[4..6].Order());
        Assert.Equal("poststop \"status\":\"stopped\"", lines[6]);

        bundle.Hook("startContainer", "echo no luck; exit 3", name: "sh");
        File.Delete(told);
        ContainerException failure = await Assert.ThrowsAsync<ContainerException>(() => Read(bundle).RunAsync(Sandbox.Token));
        Assert.Contains("no luck", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("program", bundle.Output, StringComparison.Ordinal);
        Assert.EndsWith("poststop \"status\":\"stopped\"\n", bundle.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_spec_that_became_a_configuration_runs_as_the_spec_does()
    {
        using TestRoot root = new();
        ContainerSpec spec = new ContainerBuilder().FromDirectory(root.Path).WithHostName("box").WithTmpfs("/tmp", new() { SizeBytes = 1 << 20 }).WithUser("7:8")
            .WithCommand("/bin/sh", "-c", "hostname; id; cut -d' ' -f5 /proc/self/mountinfo | grep -v -e /proc/ -e /sys/ | sort; grep -E '^(Seccomp|NoNewPrivs|CapBnd|CapEff)' /proc/self/status; echo x > /x").Build();
        if (!Lane.IsRoot) spec = new ContainerBuilder().FromDirectory(root.Path).WithHostName("box").WithTmpfs("/tmp", new() { SizeBytes = 1 << 20 }).WithCommand([.. spec.Command]).Build();
        ContainerResult plain = await spec.RunAsync(Sandbox.Token), converted = await ContainerSpec.FromOci(spec.ToOci().Json).RunAsync(Sandbox.Token);
        Assert.Equal(Comparable(plain), Comparable(converted));
        Assert.Contains("Read-only file system", converted.StandardError, StringComparison.Ordinal);

        // The device nodes of a user namespace are binds in both; the files of /etc are this library's.
        static string Comparable(ContainerResult result) => string.Join('\n', result.StandardOutput.Split('\n').Where(line => !line.StartsWith("/etc/", StringComparison.Ordinal) && !line.StartsWith("/dev/", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task What_is_not_there_is_said_before_anything_is_made()
    {
        using Bundle bundle = new("/bin/true");
        bundle.Config["root"]!["path"] = "nothere";
        Exception missing = await Assert.ThrowsAnyAsync<Exception>(() => Read(bundle).RunAsync(Sandbox.Token));
        Assert.Contains("nothere", missing.Message, StringComparison.Ordinal);
        bundle.Config["linux"]!["namespaces"] = new JsonArray();
        Assert.Contains("$.linux.namespaces", (await Assert.ThrowsAsync<InvalidOperationException>(() => Read(bundle).RunAsync(Sandbox.Token))).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => ContainerSpec.FromOci("{}", "relative"));
    }
}
