using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Isolation.Cgroups;
using Isolation.Linux;

namespace Isolation.Live.Tests;

/// <summary>What configurations say of Linux beside namespaces and mounts: who decides about calls, whose ids files have, who is run when.</summary>
[Trait("Lane", "VM")]
[Trait("Lane", "VM 5.10")]
public sealed class OciLinuxTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Hooks_of_the_making_are_run_in_its_mount_namespace_where_the_hosts_files_are(bool byLink)
    {
        using Bundle bundle = Bundle.Shell("cat /told > /out/text");
        string root = (string)bundle.Config["root"]!["path"]!;
        bundle.Config["root"]!["readonly"] = false;
        Directory.CreateDirectory(Path.Join(root, "tmp"));
        if (byLink)
        {
            File.CreateSymbolicLink(bundle["link"], root);
            bundle.Config["root"]!["path"] = bundle["link"];
        }

        // The path of the hook is the host's, the mount is the container's, and the host sees nothing of it.
        bundle.Hook("createContainer", $"mount -t tmpfs tmpfs {root}/tmp && echo there > {root}/tmp/made && cp {root}/tmp/made {root}/told && readlink /proc/self/ns/mnt > {bundle["namespace"]}");
        Assert.Equal(0, (await bundle.RunAsync()).ExitCode);
        Assert.Equal("there\n", bundle.Output);
        Assert.NotEqual(new FileInfo("/proc/self/ns/mnt").LinkTarget, File.ReadAllText(bundle["namespace"]).TrimEnd());
        Assert.Empty(Directory.GetFileSystemEntries(Path.Join(root, "tmp")));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Where_the_root_cannot_be_replaced_it_is_covered(bool hooks)
    {
        using Bundle bundle = Bundle.Shell("{ ls /; cut -d' ' -f5 /proc/self/mountinfo; } > /out/text");
        if (hooks) bundle.Hook("createContainer", "true");
        OciProgram program = await bundle.Containers.CreateAsync("covered", bundle.Write() with { NoPivot = true }, Sandbox.Token);
        await bundle.Containers.StartAsync("covered", Sandbox.Token);
        Assert.Equal(0, (await program.WaitAsync(Sandbox.Token)).ExitCode);
        Assert.Contains("out\n", bundle.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("boot\n", bundle.Output, StringComparison.Ordinal);
        Assert.Contains("/proc\n", bundle.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_link_in_the_place_of_a_device_leads_nowhere(bool absolute)
    {
        using Bundle bundle = Bundle.Shell("echo ran > /out/text");
        string root = (string)bundle.Config["root"]!["path"]!, secret = bundle["secret"];
        bundle.Config["root"]!["readonly"] = false;
        File.WriteAllText(secret, "kept");
        File.SetUnixFileMode(secret, UnixFileMode.UserRead);
        FileStatus before = Status();
        string target = absolute ? secret : string.Concat(Enumerable.Repeat("../", 20)) + secret[1..];
        Directory.CreateDirectory(Path.Join(root, "dev"));
        File.CreateSymbolicLink(Path.Join(root, "dev/null"), target);
        File.CreateSymbolicLink(Path.Join(root, "dev/own"), target);
        JsonArray mounts = bundle.Config["mounts"]!.AsArray();
        foreach (JsonNode? mount in mounts.Where(mount => ((string)mount!["destination"]!).StartsWith("/dev", StringComparison.Ordinal)).ToArray()) mounts.Remove(mount);
        bundle.Config["linux"]!["devices"] = new JsonArray(new JsonObject { ["path"] = "/dev/own", ["type"] = "c", ["major"] = 1, ["minor"] = 5, ["fileMode"] = 438, ["uid"] = 7, ["gid"] = 7 });

        try
        {
            Assert.Equal(0, (await bundle.RunAsync()).ExitCode);
            Assert.Equal("ran\n", bundle.Output);
        }
        catch (OciRuntimeException) when (!Lane.IsRoot)
        {
            // Who cannot make devices binds them, and nothing is bound to a link.
        }

        Assert.Equal((before.Mode, before.Uid, before.Gid), (Status().Mode, Status().Uid, Status().Gid));
        Assert.Equal("kept", File.ReadAllText(secret));

        FileStatus Status()
        {
            using FileDescriptor file = FileDescriptor.Open(secret, Abi.O_RDONLY);
            return FileStatus.Of(file);
        }
    }

    [Fact]
    public async Task A_class_of_caches_is_an_error_where_there_is_no_resctrl()
    {
        Assert.SkipWhen(OciIntelRdt.Root is not null, "this machine has resctrl");
        using Bundle bundle = Bundle.Shell("true");
        bundle.Config["linux"]!["intelRdt"] = new JsonObject { ["closID"] = "isolation", ["l3CacheSchema"] = "L3:0=f" };
        Assert.Contains("$.linux.intelRdt: there is no resctrl here", (await Assert.ThrowsAsync<OciRuntimeException>(() => bundle.RunAsync())).Message, StringComparison.Ordinal);
        Assert.Empty(bundle.Containers.List());
    }

    [Fact]
    public async Task Who_listens_on_a_socket_decides_about_the_calls_of_the_program_and_of_those_that_enter()
    {
        using Bundle bundle = Bundle.Shell("mkdir /out/never && echo made > /out/text; exec sleep 1000");
        using Agent agent = new(bundle["agent"]);
        bundle.Config["linux"]!["seccomp"] = new JsonObject
        {
            ["defaultAction"] = "SCMP_ACT_ALLOW", ["listenerPath"] = bundle["agent"], ["listenerMetadata"] = "of the test",
            ["syscalls"] = new JsonArray(new JsonObject { ["names"] = new JsonArray("mkdir", "mkdirat"), ["action"] = "SCMP_ACT_NOTIFY" }),
        };
        OciProgram program = await bundle.CreateAsync("asks");
        JsonNode told = await agent.AcceptAsync(SystemCallAnswer.Return(0));
        Assert.Equal(["seccompFd"], told["fds"]!.AsArray().Select(name => (string)name!));
        Assert.Equal("of the test", (string?)told["metadata"]);
        Assert.Equal(program.ProcessId, (int)told["pid"]!);
        Assert.Equal("asks", (string?)told["state"]!["id"]);
        Assert.Equal("creating", (string?)told["state"]!["status"]);
        await bundle.Containers.StartAsync("asks", Sandbox.Token);
        for (int i = 0; i < 1000 && bundle.Output.Length == 0; i++) await Task.Delay(10, Sandbox.Token);
        Assert.Equal("made\n", bundle.Output); // it was told so
        Assert.False(Directory.Exists(bundle["out/never"]));

        Task<JsonNode> second = agent.AcceptAsync(SystemCallAnswer.Fail(Errno.EXDEV));
        OciProgram entered = await bundle.Containers.ExecAsync("asks", new() { Command = ["sh", "-c", "mkdir /out/other 2> /out/text"] }, Sandbox.Token);
        Assert.Equal(entered.ProcessId, (int)(await second)["pid"]!);
        Assert.Equal(1, (await entered.WaitAsync(Sandbox.Token)).ExitCode);
        Assert.Contains("Invalid cross-device link", bundle.Output, StringComparison.Ordinal);
        Assert.All(agent.Asked, name => Assert.StartsWith("mkdir", name, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_program_that_is_not_there_is_said_at_once_also_where_somebody_else_decides()
    {
        using Bundle bundle = new("nothere");
        bundle.Config["linux"]!["seccomp"] = JsonNode.Parse($$"""{"defaultAction":"SCMP_ACT_ALLOW","listenerPath":"{{bundle["agent"]}}","syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_NOTIFY"}]}""");
        Assert.Contains("'nothere' is not in the container", await bundle.RefusalAsync(), StringComparison.Ordinal);
        bundle.Config["process"]!["args"] = new JsonArray("/bin/true");
        Assert.Contains($"to the socket '{bundle["agent"]}'", await bundle.RefusalAsync(), StringComparison.Ordinal); // nobody listens
        Assert.Empty(Directory.GetFileSystemEntries(bundle.Containers.Directory));
    }

    [Theory]
    [InlineData("idmap", true, "1000 1000")]
    [InlineData("ridmap", true, "1000 1000")]
    [InlineData(null, true, "1000 1000")]
    [InlineData("idmap", false, "0 0")]
    public async Task A_bind_is_seen_through_its_own_map_or_the_containers(string? option, bool own, string expected)
    {
        Lane.RequiresRoot("mounts are seen through maps by CAP_SYS_ADMIN");
        Assert.SkipUnless(HostFactsReader.Current.HasMountSetAttr, "mount_setattr(2) is of Linux 5.12");
        using Bundle bundle = Bundle.Shell("stat -c '%u %g' /mapped/file > /seen/text");
        string source = Directory.CreateDirectory(bundle["source"]).FullName, seen = Directory.CreateDirectory(bundle["seen"]).FullName;
        File.WriteAllText(Path.Join(source, "file"), "");
        File.SetUnixFileMode(seen, (UnixFileMode)0x1FF);
        JsonObject mount = new() { ["destination"] = "/mapped", ["type"] = "bind", ["source"] = source, ["options"] = new JsonArray([JsonValue.Create("rbind"), .. option is null ? [] : (ReadOnlySpan<JsonNode?>)[JsonValue.Create(option)]]) };
        if (own)
        {
            mount["uidMappings"] = JsonNode.Parse("""[{"containerID":0,"hostID":1000,"size":10}]""");
            mount["gidMappings"] = JsonNode.Parse("""[{"containerID":0,"hostID":1000,"size":10}]""");
        }
        else
        {
            File.SetUnixFileMode((string)bundle.Config["root"]!["path"]!, (UnixFileMode)0x1FF);
            bundle.Config["linux"]!["namespaces"]!.AsArray().Add(new JsonObject { ["type"] = "user" });
            bundle.Config["linux"]!["uidMappings"] = JsonNode.Parse("""[{"containerID":0,"hostID":100000,"size":1000}]""");
            bundle.Config["linux"]!["gidMappings"] = JsonNode.Parse("""[{"containerID":0,"hostID":100000,"size":1000}]""");
        }

        bundle.Config["mounts"]!.AsArray().Add((JsonNode)mount);
        bundle.Bind(seen, "/seen");
        if (Environment.OSVersion.Version < new Version(6, 3) && new DriveInfo(source).DriveFormat == "tmpfs")
        {
            Assert.Contains("cannot be seen through an identity map", await bundle.RefusalAsync(), StringComparison.Ordinal);
            return;
        }

        Assert.Equal(0, (await bundle.RunAsync()).ExitCode);
        Assert.Equal(expected, File.ReadAllText(Path.Join(seen, "text")).TrimEnd());
    }

    [Fact]
    public async Task A_map_without_ids_is_refused()
    {
        using Bundle bundle = new("/bin/true");
        bundle.Config["linux"]!["namespaces"] = new JsonArray(new JsonObject { ["type"] = "mount" });
        bundle.Config["linux"]!.AsObject().Remove("uidMappings");
        bundle.Config["linux"]!.AsObject().Remove("gidMappings");
        bundle.Config["mounts"] = JsonNode.Parse("""[{"destination":"/mapped","type":"bind","source":"/","options":["bind","idmap"]}]""");
        Assert.Contains("'/mapped' is to be seen through an identity map (idmap), and has no mappings", await bundle.RefusalAsync(), StringComparison.Ordinal);
        bundle.Config["mounts"]![0]!["uidMappings"] = JsonNode.Parse("""[{"containerID":0,"hostID":1000,"size":10}]""");
        Assert.Contains("$.mounts[0]: uidMappings and gidMappings are given together", await bundle.RefusalAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Memory_is_taken_from_the_nodes_that_are_named()
    {
        Assert.SkipUnless(Directory.Exists("/sys/devices/system/node/node0"), "the kernel knows no nodes of memory (CONFIG_NUMA)");
        using Bundle bundle = Bundle.Shell("grep -m 1 -o ' bind[^ ]*:0 ' /proc/self/numa_maps > /out/text");
        bundle.Config["linux"]!["memoryPolicy"] = JsonNode.Parse("""{"mode":"MPOL_BIND","nodes":"0","flags":["MPOL_F_STATIC_NODES"]}""");
        Assert.Equal(0, (await bundle.RunAsync()).ExitCode);
        Assert.Equal("bind=static:0", bundle.Output.Trim());
        bundle.Config["linux"]!["memoryPolicy"]!["mode"] = "MPOL_MINE";
        Assert.Contains("$.linux.memoryPolicy.mode: 'MPOL_MINE' is no mode", await bundle.RefusalAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Flags_of_the_scheduler_and_a_deadline_are_in_force()
    {
        using Bundle bundle = new("/bin/sleep", "1000");
        bundle.Config["process"]!["scheduler"] = JsonNode.Parse("""{"policy":"SCHED_BATCH","nice":5,"flags":["SCHED_FLAG_RESET_ON_FORK"]}""");
        OciProgram program = await bundle.CreateAsync("batch");
        string sched = (await File.ReadAllLinesAsync($"/proc/{program.ProcessId}/stat", Sandbox.Token))[0];
        string[] fields = sched[(sched.LastIndexOf(')') + 2)..].Split(' ');
        Assert.Equal("5", fields[16]); // nice
        Assert.Equal("3", fields[38]); // SCHED_BATCH
        bundle.Config["process"]!["scheduler"] = JsonNode.Parse("""{"policy":"SCHED_DEADLINE","runtime":1000000,"deadline":10000000,"period":10000000}""");
        if (Lane.IsRoot)
        {
            string stat = File.ReadAllText($"/proc/{(await bundle.CreateAsync("deadline")).ProcessId}/stat");
            Assert.Equal("6", stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[38]); // SCHED_DEADLINE
        }
        else
        {
            Assert.Contains("schedule by SCHED_DEADLINE", await bundle.RefusalAsync("deadline"), StringComparison.Ordinal); // it takes CAP_SYS_NICE
        }

        bundle.Config["process"]!["scheduler"]!["policy"] = "SCHED_OTHER";
        Assert.Contains("$.process.scheduler: a runtime, a deadline and a period are of SCHED_DEADLINE alone", await bundle.RefusalAsync("other"), StringComparison.Ordinal);
    }

    /// <summary>Takes listeners from a socket, and answers what they hear.</summary>
    private sealed class Agent : IDisposable
    {
        private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        private readonly List<SystemCallListener> _listeners = [];

        internal Agent(string path)
        {
            _socket.Bind(new UnixDomainSocketEndPoint(path));
            _socket.Listen();
        }

        internal System.Collections.Concurrent.ConcurrentQueue<string> Asked { get; } = [];

        internal async Task<JsonNode> AcceptAsync(SystemCallAnswer answer)
        {
            using Socket peer = await _socket.AcceptAsync(Sandbox.Token);
            using FileDescriptor channel = Descriptors.Duplicate(peer.SafeHandle);
            byte[] text = new byte[16384];
            FileDescriptor? listener = null;
            nint count = 0;
            for (int i = 0; i < 1000 && listener is null; i++)
            {
                count = Descriptors.TryReceive(channel, text, out listener);
                if (listener is null) await Task.Delay(10, Sandbox.Token);
            }

            Assert.NotNull(listener);
            SystemCallListener heard = new(listener, new(["mkdir"], (call, _) =>
            {
                Asked.Enqueue(call.Name);
                return ValueTask.FromResult(answer);
            }, TimeSpan.FromSeconds(10)), (_, _) => { });
            heard.Start();
            _listeners.Add(heard);
            return JsonNode.Parse(Encoding.UTF8.GetString(text, 0, (int)count))!;
        }

        public void Dispose()
        {
            foreach (SystemCallListener listener in _listeners) listener.Dispose();
            _socket.Dispose();
        }
    }
}
