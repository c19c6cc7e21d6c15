namespace Isolation.Live.Tests;

/// <summary>Engines that drive our runtime: the scripts of tests/clients.</summary>
[Trait("Category", "Slow")]
public sealed class ClientTests
{
    [Theory]
    [InlineData("docker", "dockerd")]
    [InlineData("podman", "podman")]
    [InlineData("containerd", "containerd")]
    [InlineData("swarm", "dockerd")]
    public async Task An_engine_runs_its_containers_on_ours(string script, string program)
    {
        Lane.RequiresRoot("these engines are root's");
        await RunAsync(script, program, "unshare", "--mount", "--propagation", "private");
    }

    [Fact]
    public async Task Podman_of_a_user_runs_its_containers_on_ours()
    {
        Lane.RequiresUnprivileged("root has an engine of its own");
        Assert.SkipUnless(File.Exists("/etc/subuid") && File.ReadLines("/etc/subuid").Any(line => line.StartsWith(Environment.UserName + ":", StringComparison.Ordinal)), "this user has no subordinate ids");
        await RunAsync("podman-rootless", "podman");
    }

    private static async Task RunAsync(string script, string program, params string[] around)
    {
        Assert.SkipUnless(((string[])["/usr/bin", "/usr/sbin"]).Any(directory => File.Exists(Path.Join(directory, program))), $"{program} is not installed");
        Assert.SkipUnless(File.Exists("/bin/busybox"), "there is no /bin/busybox: install busybox-static");
        using TemporaryDirectory directory = new();
        string root = Environment.GetEnvironmentVariable("DOTNET_ROOT") ?? "", command = Path.Join(AppContext.BaseDirectory, "isolation-runtime.dll");
        string runtime = directory.Write("isolation-runtime", $"#!/bin/sh\nexport DOTNET_ROOT='{root}' DOTNET_TieredPGO=0\nexec '{(root.Length > 0 ? root + "/" : "")}dotnet' '{command}' \"$@\"\n");
        File.SetUnixFileMode(runtime, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

        // Engines take their time beside other tests: more than a test has by itself.
        using System.Diagnostics.Process process = Sandbox.StartOnHost("timeout", [.. (string[])["240", .. around, "bash", Path.Join(AppContext.BaseDirectory, "clients", script), runtime]]);
        Task<string> reading = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        string output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken), error = await reading;
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, string.Join('\n', output.Split('\n').Where(line => !line.StartsWith("ok", StringComparison.Ordinal))) + error);
    }
}
