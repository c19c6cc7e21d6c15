using Isolation.Nested;

namespace Isolation.Live.Tests;

/// <summary>What the host lacks, forbids, or has taken away.</summary>
public sealed class HostErrorTests
{
    [Fact]
    public async Task A_root_that_has_vanished_is_named()
    {
        TestRoot root = new();
        ContainerSpec spec = root.Container(RootAccess.ReadOnly, "true").Build();
        root.Dispose();

        Exception refusal = await Assert.ThrowsAnyAsync<Exception>(() => spec.RunAsync(Sandbox.Token));

        Assert.True(refusal is ContainerException or DirectoryNotFoundException, refusal.ToString());
        Assert.Contains(root.Path, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_root_that_has_become_a_file_is_named()
    {
        TestRoot root = new();
        ContainerSpec spec = root.Container(RootAccess.ReadOnly, "true").Build();
        root.Dispose();
        File.WriteAllText(root.Path, "");

        Exception refusal = await Assert.ThrowsAnyAsync<Exception>(() => spec.RunAsync(Sandbox.Token));
        File.Delete(root.Path);

        Assert.Contains(root.Path, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_source_that_has_vanished_is_named()
    {
        TemporaryDirectory directory = new();
        ContainerSpec spec = Sandbox.Host("true").WithBind(directory.Path, "/data").Build();
        directory.Dispose();

        FileNotFoundException refusal = await Assert.ThrowsAsync<FileNotFoundException>(() => spec.RunAsync(Sandbox.Token));

        Assert.Equal(directory.Path, refusal.FileName);
    }

    [Fact]
    public async Task Where_user_namespaces_are_forbidden_the_setting_is_named()
    {
        // The limit of a container's own user namespace, which root of it may set.
        ContainerBuilder outer = NestedProgram.Container("run", "--", "true").AddCapability(Capability.SysResource);
        string inner = string.Join(' ', outer.Build().Command.Select(word => $"'{word}'"));

        ContainerResult result = await outer.WithCommand("sh", "-c", $"echo 0 > /proc/sys/user/max_user_namespaces && {inner}").ResultAsync();

        Assert.Equal(NestedProgram.Refused, result.ExitCode);
        Assert.StartsWith("NamespaceForbidden:", result.StandardError, StringComparison.Ordinal);
        Assert.Contains("user.max_user_namespaces is 0", result.StandardError, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_limit_of_other_namespaces_is_a_limit()
    {
        ContainerBuilder outer = NestedProgram.Container("run", "--", "true").AddCapability(Capability.SysResource);
        string inner = string.Join(' ', outer.Build().Command.Select(word => $"'{word}'"));

        ContainerResult result = await outer.WithCommand("sh", "-c", $"echo 0 > /proc/sys/user/max_net_namespaces && {inner}").ResultAsync();

        Assert.Equal(NestedProgram.Refused, result.ExitCode);
        Assert.StartsWith("ResourceLimit:", result.StandardError, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refusal_says_what_it_was_doing_with_which_call()
    {
        ContainerException refusal = await Sandbox.Host("true").WithTimeOffsets(TimeSpan.FromDays(-36_500), TimeSpan.Zero).RefusalAsync();

        Assert.Equal("set the offset of the boottime clock", refusal.Purpose);
        Assert.StartsWith("write(", refusal.Step, StringComparison.Ordinal);
        Assert.IsType<Isolation.Linux.LinuxException>(refusal.InnerException);
    }
}
