namespace Isolation.Live.Tests;

/// <summary>Labels of SELinux, where the kernel has it: in a virtual machine that is booted with it, under a small policy of the tests' own.</summary>
[Trait("Lane", "Selinux")]
public sealed class SelinuxTests
{
    private const string Label = "cat /proc/self/attr/current | tr -d '\\000'";

    [Fact]
    public async Task A_container_has_categories_that_no_other_has_and_gives_them_back()
    {
        RequiresPolicy();
        await using Container one = await Sandbox.SleeperAsync(builder => builder.WithSelinux()), other = await Sandbox.SleeperAsync(builder => builder.WithSelinux());
        string[] labels = [LabelOf(one), LabelOf(other)];

        Assert.All(labels, label => Assert.Matches("^system_u:system_r:container_t:s0:c[0-9]+,c[0-9]+$", label));
        Assert.NotEqual(labels[0], labels[1]);
        Assert.Contains(one.Enforcement, entry => entry is { Feature: "security label", State: EnforcementState.Enforced } && entry.Detail == labels[0]);
        Assert.Contains(one.Enforcement, entry => entry.Feature == "selinux mount label" && entry.Detail == labels[0].Replace("system_r:container_t", "object_r:container_file_t", StringComparison.Ordinal));
        string categories = labels[0].Split(':')[4];
        Assert.Contains(categories, ClaimNames());
        await one.DisposeAsync();
        Assert.DoesNotContain(categories, ClaimNames());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Its_programs_and_its_mounts_have_its_label(bool hostsUsers)
    {
        RequiresPolicy();
        using TestRoot root = new();
        ContainerBuilder builder = root.Container(RootAccess.Layered, "sleep", "1000").WithSelinux();
        if (hostsUsers)
        {
            Lane.RequiresRoot("without it nothing can be mounted in the host's user namespace");
            builder.WithUserNs(NamespaceSource.Host);
        }

        await using Container container = await builder.BeginAsync();
        string label = LabelOf(container);

        Assert.Equal(label, (await container.ExecShellAsync("cat /proc/self/attr/current")).TrimEnd('\0'));
        string mounts = await File.ReadAllTextAsync($"/proc/{container.ProcessId}/mountinfo", Sandbox.Token), expected = $"context=\"{label.Replace("system_r:container_t", "object_r:container_file_t", StringComparison.Ordinal)}\"";
        foreach (string place in (string[])["/", "/tmp", "/dev", "/dev/pts", "/dev/shm"])
            Assert.Contains(expected, mounts.Split('\n').Last(line => line.Split(' ') is { Length: > 5 } fields && fields[4] == place), StringComparison.Ordinal);
        Assert.Equal("", await container.ExecShellAsync("echo x > /made && echo y > /tmp/made"));
    }

    [Fact]
    public async Task It_cannot_write_what_is_the_hosts_until_that_is_labelled_for_it()
    {
        RequiresPolicy();
        using TemporaryDirectory directory = new();
        directory.Write("below/file", "x");
        ContainerBuilder Write(SelinuxRelabel relabel) => Sandbox.HostShell("echo y > /data/below/file && echo z > /data/new").WithSelinux().WithBind(directory.Path, "/data", new BindOptions { Relabel = relabel });

        Assert.Contains("Permission denied", (await Write(SelinuxRelabel.None).ResultAsync()).StandardError, StringComparison.Ordinal);
        Assert.Equal("", (await Write(SelinuxRelabel.Private).ResultAsync()).StandardError);

        // Another container has other categories.
        Assert.Contains("Permission denied", (await Write(SelinuxRelabel.None).ResultAsync()).StandardError, StringComparison.Ordinal);
        Assert.Equal("", (await Write(SelinuxRelabel.Shared).ResultAsync()).StandardError);
        Assert.Equal("", (await Write(SelinuxRelabel.None).ResultAsync()).StandardError);
        Assert.Equal("system_u:object_r:container_file_t:s0", (await Sandbox.OnHostAsync("stat", "-c", "%C", directory["below/file"])).Output.Trim());
    }

    [Fact]
    public async Task A_label_of_the_callers_choice_is_taken_and_one_that_the_policy_does_not_know_is_refused()
    {
        RequiresPolicy();
        Assert.Equal("system_u:system_r:container_t:s0:c7", await Sandbox.HostShell(Label).WithSelinuxLabel("system_u:system_r:container_t:s0:c7").OutputAsync());
        ContainerException exception = await Sandbox.Host("true").WithSelinuxLabel("system_u:system_r:unheard_of_t:s0").RefusalAsync();
        Assert.Equal(ContainerErrorReason.SecurityUnavailable, exception.Reason);
        Assert.Contains("unheard_of_t", exception.Message, StringComparison.Ordinal);
        Assert.Contains("does not know", exception.Message, StringComparison.Ordinal);
    }

    private static string LabelOf(Container container) => File.ReadAllText($"/proc/{container.ProcessId}/attr/current").TrimEnd('\0', '\n');

    private static string[] ClaimNames() => [.. Directory.GetFiles(new FileInfo($"/proc/self/fd/{ClaimDirectory.Of(ClaimDirectory.Categories).Directory.Number}").LinkTarget!).Select(path => Path.GetFileName(path))];

    /// <summary>The virtual machine has loaded one that says what this process is.</summary>
    private static void RequiresPolicy()
    {
        // Booted for it, it must have it.
        bool isBooted = File.ReadAllText("/proc/cmdline").Contains("selinux", StringComparison.Ordinal);
        Assert.SkipUnless(isBooted || HostFactsReader.Current.HasSelinux, "this kernel has no SELinux, or is not booted with it");
        Assert.True(HostFactsReader.Current.HasSelinux);
        Assert.Equal("system_u:system_r:kernel_t:s0", File.ReadAllText("/proc/self/attr/current").TrimEnd('\0', '\n', ' '));
        Assert.Equal("1", File.ReadAllText("/sys/fs/selinux/enforce"));
    }
}

/// <summary>Asked for where there is no SELinux.</summary>
[Trait("Lane", "VM")]
public sealed class WithoutSelinuxTests
{
    [Fact]
    public async Task What_is_required_is_refused_and_what_is_preferred_reported()
    {
        Assert.SkipWhen(HostFactsReader.Current.HasSelinux, "this kernel has SELinux");
        foreach (ContainerBuilder builder in (ContainerBuilder[])[Sandbox.Host("true").WithSelinux(), Sandbox.Host("true").WithSelinuxLabel("a:b:c:s0")])
        {
            ContainerException exception = await builder.RefusalAsync();
            Assert.Equal(ContainerErrorReason.SecurityUnavailable, exception.Reason);
            Assert.Contains("lsm=", exception.Message, StringComparison.Ordinal);
        }

        using TemporaryDirectory directory = new();
        await using Container container = await Sandbox.SleeperAsync(builder => builder.WithSelinux(preferred: true).WithBind(directory.Path, "/data", new BindOptions { Relabel = SelinuxRelabel.Private }));
        Assert.Contains(container.Enforcement, entry => entry is { Feature: "selinux", State: EnforcementState.Fallback });
    }

    [Fact]
    public void Bad_input_is_refused_before_anything_is_made()
    {
        Assert.ThrowsAny<ArgumentException>(() => Sandbox.Host("true").WithSelinuxLabel("no label"));
        Assert.ThrowsAny<ArgumentException>(() => Sandbox.Host("true").WithSelinuxLabel("a:b:c\n"));
        Assert.ThrowsAny<ArgumentException>(() => Sandbox.Host("true").WithSelinuxLabel("a:b:c", "a,context=b"));
        Assert.Contains("with which label", Assert.Throws<InvalidOperationException>(() => Sandbox.Host("true").WithBind("/usr/share", "/data", new BindOptions { Relabel = SelinuxRelabel.Shared }).Build()).Message, StringComparison.Ordinal);
        Assert.Contains("is the system's", Assert.Throws<InvalidOperationException>(() => Sandbox.Host("true").WithSelinux().WithBind("/usr/", "/data", new BindOptions { Relabel = SelinuxRelabel.Shared }).Build()).Message, StringComparison.Ordinal);
    }
}
