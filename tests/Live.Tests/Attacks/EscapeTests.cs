namespace Isolation.Live.Tests;

/// <summary>Known ways out of a container, tried from inside with the most that may be granted. Those on a launch and on files are in <c>Hostile</c> and <c>Files</c>.</summary>
[Trait("Lane", "VM")]
public sealed class EscapeTests
{
    // As much as can be given without the host's user namespace.
    private static ContainerBuilder Mighty(string script)
    {
        ContainerBuilder builder = Sandbox.HostShell(script).WithoutSeccomp().AllowNewPrivileges();
        foreach (Capability capability in Enum.GetValues<Capability>())
            if ((int)capability <= HostFactsReader.Current.LastCapability) builder.AddCapability(capability);
        return builder;
    }

    /// <summary>
    /// Root of it is nobody outside. Where root is root of the host as the owner of files, CAP_SYS_ADMIN takes the masks away and that root writes the host's
    /// settings (docs/security.md).
    /// </summary>
    private static ContainerBuilder MightyNobody(string script) =>
        Lane.IsRoot ? Mighty(script).WithUserMapping(new IdMapping(0, 1_900_000_000, 1)).WithGroupMapping(new IdMapping(0, 1_900_000_000, 1)) : Mighty(script);

    [Fact]
    public async Task A_release_agent_cannot_be_set()
    {
        // CVE-2022-0492: whoever may mount a hierarchy of v1 says which program the host runs when a group is empty.
        ContainerResult result = await Mighty("""
            mkdir /tmp/cg
            for controller in rdma memory net_cls cpu; do
                mount -t cgroup -o $controller none /tmp/cg 2>/dev/null || continue
                (cat /tmp/cg/release_agent > /tmp/now; cat /tmp/now > /tmp/cg/release_agent) 2>/dev/null && test -e /tmp/cg/release_agent && echo "$controller: set"
                umount /tmp/cg
            done
            find / -xdev -name release_agent -writable 2>/dev/null
            echo end
            """).ResultAsync();

        Assert.Equal("end\n", result.StandardOutput);
    }

    /// <summary>What is written is what is there already, so that a hole does no harm but to this test.</summary>
    [Theory]
    [InlineData("kernel/core_pattern")]
    [InlineData("vm/panic_on_oom")]
    [InlineData("kernel/sysrq")]
    public async Task A_setting_of_the_host_cannot_be_written(string name)
    {
        Assert.SkipUnless(File.Exists("/proc/sys/" + name), "the kernel has no such setting");
        string value = (await File.ReadAllTextAsync("/proc/sys/" + name, Sandbox.Token)).TrimEnd();
        const string Plain = "printf %s \"$VALUE\" 2>/dev/null > /proc/sys/$NAME || echo refused";
        const string Unmasked = Plain + "; umount /proc/sys; mount -o remount,rw /proc/sys; mount -t proc proc /tmp; for proc in /proc /tmp; do (printf %s \"$VALUE\" > $proc/sys/$NAME) || echo refused; done";

        Assert.Equal(["refused"], await Sandbox.HostShell(Plain).WithEnvironment("NAME", name).WithEnvironment("VALUE", value).LinesAsync());
        Assert.Equal(["refused", "refused", "refused"], await MightyNobody(Unmasked).WithEnvironment("NAME", name).WithEnvironment("VALUE", value).LinesAsync());
    }

    [Fact]
    public async Task A_device_of_the_host_cannot_be_made_or_opened()
    {
        string[] lines = await Mighty("""
            for place in /tmp /dev /etc /dev/shm; do
                mknod $place/disk b 8 0 2>/dev/null && head -c 1 $place/disk >/dev/null 2>&1 && echo "$place: read"
                mknod $place/mem c 1 1 2>/dev/null && head -c 1 $place/mem >/dev/null 2>&1 && echo "$place: memory"
            done
            ls /dev | tr '\n' ' '
            """).LinesAsync();

        Assert.Equal(["fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero "], lines);
    }

    [Fact]
    public async Task A_file_handle_opens_nothing_of_the_host()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/perl"), "perl makes the call");
        // "Shocker": inode 2 is the root of an ext file system, and needs no path. open_by_handle_at(2), struct file_handle.
        string script = FormattableString.Invariant($$"""
            for my $place ("/", "/etc/hosts", "/etc/resolv.conf", "/usr", "/dev/null") {
                open(my $mount, "<", $place) or next;
                my $handle = pack("L l L L", 8, 1, 2, 0);
                my $found = syscall({{SystemCallTable.NumberOf("open_by_handle_at", System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.Arm64 ? SeccompArchitecture.Arm64 : SeccompArchitecture.X64)}}, fileno($mount), $handle, 0);
                print "$place: opened\n" if $found >= 0;
            }
            print "end\n";
            """);

        Assert.Equal(["end"], await Mighty($"perl -e '{script}'").LinesAsync());
    }

    [Theory]
    [InlineData("unshare --user --map-root-user true")]
    [InlineData("mount --bind / /mnt")]
    [InlineData("dmesg")]
    [InlineData("chroot / mount -t tmpfs x /mnt")]
    [InlineData("nsenter -t 1 -m true")]
    [InlineData("unshare --mount true")]
    [InlineData("unshare --net true")]
    public async Task What_only_a_host_does_is_refused(string command)
    {
        Assert.SkipUnless(await Sandbox.HostShell($"command -v {command.Split(' ')[0]}").ResultAsync() is { Succeeded: true }, $"there is no {command.Split(' ')[0]}");

        Assert.False((await Sandbox.HostShell(command).ResultAsync()).Succeeded);
    }

    [Fact]
    public async Task No_process_of_the_host_is_seen_or_reached()
    {
        string[] lines = await Mighty($"ls /proc | grep -cE '^[0-9]+$'; kill -0 {Environment.ProcessId} 2>/dev/null && echo reached; cat /proc/{Environment.ProcessId}/environ 2>/dev/null | head -c 10; cat /proc/1/comm").LinesAsync();

        Assert.True(int.Parse(lines[0], System.Globalization.CultureInfo.InvariantCulture) <= 4, lines[0]);
        Assert.Equal("sh", lines[^1]);
        Assert.Equal(2, lines.Length);
    }

    [Fact]
    public async Task A_source_of_a_bind_that_is_swapped_for_a_link_binds_nothing_else()
    {
        using TemporaryDirectory host = new(), shared = new();
        host.Write("secret", "of the host");
        shared.MakeDirectory("source");
        shared.Write("source/own", "own");
        File.CreateSymbolicLink(shared["link"], host.Path);
        using CancellationTokenSource stop = new();
        Thread swapper = new(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                Directory.Move(shared["source"], shared["aside"]);
                File.CreateSymbolicLink(shared["source"], host.Path);
                File.Delete(shared["source"]);
                Directory.Move(shared["aside"], shared["source"]);
            }
        });
        int bound = 0, refused = 0;
        string last = "";
        long start = System.Diagnostics.Stopwatch.GetTimestamp();
        swapper.Start();
        try
        {
            // Bounded by time and not by count: a refusal costs nothing, and the swapper may not get a processor for a while.
            for (int i = 0; i < 200 || ((bound == 0 || refused == 0) && System.Diagnostics.Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(40)); i++)
            {
                try
                {
                    ContainerResult result = await Sandbox.HostShell("cat /mnt/secret 2>/dev/null; cat /mnt/own").WithBind(shared["source"], "/mnt", new() { NoSymbolicLinks = true, ReadOnly = true }).ResultAsync();
                    Assert.DoesNotContain("of the host", result.StandardOutput, StringComparison.Ordinal);
                    if (result.StandardOutput == "own") bound++;
                }
                catch (Exception exception) when (exception is ContainerException or FileNotFoundException)
                {
                    refused++;
                    last = exception.Message;
                }
            }
        }
        finally
        {
            await stop.CancelAsync();
            swapper.Join();
        }

        Assert.True(bound > 0 && refused > 0, $"{bound} bound, {refused} refused: nothing was raced for; the last refusal: {last}");
        ContainerException refusal = await Sandbox.Host("true").WithBind(shared["link"], "/mnt", new() { NoSymbolicLinks = true }).RefusalAsync();
        Assert.Contains("ELOOP", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Abstract_sockets_of_a_shared_network_are_out_of_a_strict_programs_reach()
    {
        Assert.SkipUnless(HostFactsReader.Current.LandlockVersion >= 6, "Landlock's scopes take Linux 6.12");
        Assert.SkipUnless(File.Exists("/usr/bin/perl"), "perl makes the connection");
        string name = "isolation-" + Guid.NewGuid().ToString("N");
        using System.Net.Sockets.Socket socket = new(System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Unspecified);
        socket.Bind(new System.Net.Sockets.UnixDomainSocketEndPoint("\0" + name));
        socket.Listen();
        string connect = $"perl -MSocket -e 'socket(my $s, PF_UNIX, SOCK_STREAM, 0) or die $!; print connect($s, pack(\"S a*\", 1, \"\\0{name}\")) ? \"connected\" : \"refused\"'";

        Assert.Equal("connected", await Sandbox.HostShell(connect).WithNetNs(NamespaceSource.Host).OutputAsync());
        Assert.Equal("refused", await Sandbox.HostShell(connect).WithNetNs(NamespaceSource.Host).WithSecurity(SecurityProfile.Strict).OutputAsync());
        Assert.Equal("refused", await Sandbox.HostShell(connect).OutputAsync());
    }
}
