using Isolation.Linux;

namespace Isolation.Live.Tests;

/// <summary>Of the host nothing is left inside: no mount, no descriptor, no path.</summary>
public sealed class OldRootTests
{
    private static readonly string[] Standard =
        ["/", "/proc", "/sys", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue", "/tmp", "/run", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf"];

    private static readonly string[] Devices = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_mount_table_holds_what_was_asked_for_and_nothing_else(bool hostUser)
    {
        if (hostUser) Lane.RequiresRoot("the host's user namespace");
        using TestRoot root = new();
        using TemporaryDirectory directory = new();
        ContainerBuilder builder = root.Container(RootAccess.ReadOnly, "cat", "/proc/self/mountinfo")
            .WithBind(directory.Path, "/data").WithTmpfs("/tmp/own").WithUserNs(hostUser ? NamespaceSource.Host : NamespaceSource.New);

        MountLine[] table = MountLine.Parse(await builder.OutputAsync());

        HostFacts host = HostFactsReader.Current;
        IEnumerable<string> expected = Standard.Concat(hostUser ? [] : Devices)
            .Concat(host.MaskedPaths.Keys.Concat(host.ReadOnlyPaths).Select(path => "/" + path))
            .Concat(["/data", "/tmp/own"]);
        Assert.Equal(expected.Order(StringComparer.Ordinal), table.Select(mount => mount.Path).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task The_hosts_files_bring_no_mount_of_the_host_from_under_proc_sys_dev_tmp_run()
    {
        MountLine[] table = MountLine.Parse(await Sandbox.Host("cat", "/proc/self/mountinfo").OutputAsync());

        HostFacts host = HostFactsReader.Current;
        HashSet<string> expected = [.. Standard, .. Devices, .. host.MaskedPaths.Keys.Select(path => "/" + path), .. host.ReadOnlyPaths.Select(path => "/" + path)];
        string[] replaced = ["proc", "sys", "dev", "tmp", "run"];
        Assert.Empty(table.Where(mount => replaced.Contains(mount.Path.Split('/')[1])).Select(mount => mount.Path).Except(expected));
        Assert.Single(table, mount => mount.Path == "/");
    }

    [Fact]
    public async Task No_descriptor_is_inherited_not_even_one_that_was_left_open_for_all()
    {
        int source = (int)Syscall.Check(Syscall.Invoke(SystemCall.eventfd2, 0, Abi.O_CLOEXEC), "eventfd2");
        const int F_DUPFD = 0; // without O_CLOEXEC; the first number from 150 on that is free, since other tests run beside this one
        int leaked = (int)Syscall.Check(Syscall.Invoke(SystemCall.fcntl, source, F_DUPFD, 150), "fcntl");
        try
        {
            string loop = "i=0; while [ $i -lt 1000 ]; do [ -e /proc/$$/fd/$i ] && echo $i; i=$((i+1)); done; true";
            (_, string control, _) = await Sandbox.OnHostAsync("sh", "-c", loop);
            Assert.Contains($"{leaked}", control.Split('\n'));

            Assert.Equal(["0", "1", "2"], await Sandbox.HostShell(loop).LinesAsync());
            await using Container other = await Sandbox.SleeperAsync();
            ContainerBuilder joining = Sandbox.HostShell(loop).JoinNamespacesOf(other, Enum.GetValues<NamespaceKind>().Where(kind => kind != NamespaceKind.Mount).ToArray());
            Assert.Equal(["0", "1", "2"], await joining.LinesAsync());
        }
        finally
        {
            Syscall.close(leaked);
            Syscall.close(source);
        }
    }

    [Fact]
    public async Task No_path_leads_to_the_hosts_files()
    {
        using TestRoot root = new();
        using TemporaryDirectory canary = new();
        string file = canary.Write("canary", "host");
        string relative = file[1..];
        string script = string.Join('\n', new[] { "", "/..", "/../../..", "/proc/1/root", "/proc/self/root/..", "/proc/1/cwd", "/proc/1/cwd/..", "/proc/self/cwd/../..", "/proc/self/fd/0/..", "/proc/1/fd/3", "/proc/1/fd/4/.." }
            .Select(prefix => $"cat {prefix}/{relative} 2>/dev/null && echo reached by '{prefix}'")) + "\ntrue";

        Assert.Equal("", await root.Shell(script).OutputAsync());
    }

    [Fact]
    public async Task The_root_is_its_own_parent_and_the_process_is_in_it()
    {
        using TestRoot root = new();

        Assert.Equal(["same", "/", "/"], await root.Shell("[ / -ef /.. ] && echo same; readlink /proc/1/root; readlink /proc/1/cwd").LinesAsync());
    }

    [Fact]
    public async Task The_image_that_prepared_the_container_is_gone()
    {
        string[] lines = await Sandbox.HostShell("readlink /proc/1/exe; grep -c memfd /proc/1/maps || true").LinesAsync();

        Assert.EndsWith("sh", lines[0], StringComparison.Ordinal);
        Assert.Equal("0", lines[1]);
    }
}
