using Isolation.Nested;

namespace Isolation.Live.Tests;

/// <summary>
/// Mounts made later on the other side. The "host" is a container with a mount table of its own, so that this machine's
/// is not touched; two named pipes in the shared directory keep the two sides in step.
/// </summary>
[Collection(nameof(Alone))]
public sealed class PropagationTests
{
    [Theory]
    [InlineData("Slave", true)]
    [InlineData("Private", false)]
    public async Task A_later_mount_of_the_host_is_seen_by_a_slave_only(string propagation, bool seen)
    {
        ContainerBuilder outer = NestedProgram.Container("run", "--propagation", propagation, "/srv/shared", "/inner", "--",
                "sh", "-c", "echo up > /inner/up; read go < /inner/go; [ -e /inner/later/mark ] && echo seen || echo unseen")
            .AddCapability(Capability.SysAdmin).WithTmpfs("/srv/shared");
        string inner = string.Join(' ', outer.Build().Command.Select(word => $"'{word}'"));
        string script = $"""
            mount --make-shared /srv/shared || exit 1
            mkdir /srv/shared/later && mkfifo /srv/shared/up /srv/shared/go || exit 1
            {inner} &
            read up < /srv/shared/up
            mount -t tmpfs later /srv/shared/later && touch /srv/shared/later/mark || exit 1
            echo go > /srv/shared/go
            wait
            """;

        Assert.Equal(seen ? "seen" : "unseen", await outer.WithCommand("sh", "-c", script).OutputAsync());
    }

    [Theory]
    [InlineData(MountPropagation.Slave)]
    [InlineData(MountPropagation.Private)]
    [InlineData(MountPropagation.Unbindable)]
    public async Task What_the_container_mounts_the_host_never_sees(MountPropagation propagation)
    {
        using TemporaryDirectory directory = new();
        directory.MakeDirectory("beneath");
        string before = File.ReadAllText("/proc/self/mountinfo");
        ContainerBuilder builder = Sandbox.HostShell("mount -t tmpfs own /data/beneath && touch /data/beneath/mark && echo mounted")
            .AddCapability(Capability.SysAdmin).WithBind(directory.Path, "/data", new() { Propagation = propagation });

        Assert.Equal("mounted", await builder.OutputAsync());
        Assert.False(File.Exists(directory["beneath/mark"]));
        Assert.Equal(before, File.ReadAllText("/proc/self/mountinfo"));
    }

    [Fact]
    public async Task An_unbindable_mount_cannot_be_bound_again()
    {
        using TemporaryDirectory directory = new();
        ContainerBuilder Binder(MountPropagation propagation) => Sandbox.HostShell("mkdir /tmp/again && mount --bind /data /tmp/again")
            .AddCapability(Capability.SysAdmin).WithBind(directory.Path, "/data", new() { Propagation = propagation });

        Assert.True((await Binder(MountPropagation.Private).ResultAsync()).Succeeded);
        Assert.False((await Binder(MountPropagation.Unbindable).ResultAsync()).Succeeded);
    }

    [Fact]
    public async Task Shared_in_a_new_user_namespace_is_refused_before_anything_is_made()
    {
        ContainerBuilder builder = Sandbox.Host("true").WithBind("/", "/data", new() { Propagation = MountPropagation.Shared });

        InvalidOperationException refusal = await Assert.ThrowsAsync<InvalidOperationException>(() => builder.RunAsync(Sandbox.Token));

        Assert.Contains("/data", refusal.Message, StringComparison.Ordinal);
    }
}
