using System.Net.Sockets;
using Isolation.Cgroups;
using Isolation.Linux;

namespace Isolation.Live.Tests;

/// <summary>Where and when further programs of a container of an OCI runtime are put into it, and what a program finds that begins.</summary>
[Trait("Lane", "VM")]
public sealed class OciExecTests : IDisposable
{
    private readonly string _groups = $"isolation-oci-test-{Guid.NewGuid():N}"[..30];

    [Fact]
    public async Task One_that_is_to_be_started_in_a_paused_container_waits_until_it_goes_on()
    {
        Lane.RequiresRoot("a control group of one's own");
        using Bundle bundle = await StartAsync("exec sleep 1000");
        await bundle.Containers.PauseAsync("one", Sandbox.Token);
        OciExecOptions options = new() { Command = ["sh", "-c", "echo went on > /out/text"] };
        Assert.Contains("it is paused", (await Assert.ThrowsAsync<OciRuntimeException>(() => bundle.Containers.ExecAsync("one", options, Sandbox.Token))).Message, StringComparison.Ordinal);

        Task<OciProgram> waits = bundle.Containers.ExecAsync("one", options with { IgnoresPause = true }, Sandbox.Token);
        await Task.Delay(200, Sandbox.Token);
        Assert.False(waits.IsCompleted);
        Assert.Equal("", bundle.Output);
        bundle.Containers.Resume("one");
        await (await waits).WaitAsync(Sandbox.Token);

        Assert.Equal("went on\n", bundle.Output);
        await EndAsync(bundle);
    }

    [Fact]
    public async Task One_enters_a_group_below_the_containers_and_no_other()
    {
        Lane.RequiresRoot("a control group of one's own");
        using Bundle bundle = await StartAsync("exec sleep 1000");
        string[] groups = Directories();
        foreach (string group in groups)
        {
            Directory.CreateDirectory(Path.Join(group, "sub"));
            if (CgroupScope.IsV2(CgroupController.Cpuset)) continue;
            foreach (string file in (string[])["cpuset.cpus", "cpuset.mems"]) // a new group of v1 has no processors
                if (File.Exists(Path.Join(group, file))) File.WriteAllText(Path.Join(group, "sub", file), File.ReadAllText(Path.Join(group, file)));
        }

        Assert.All(await ExecAsync(bundle, "sub"), line => Assert.EndsWith("/one/sub", line, StringComparison.Ordinal));
        if (!CgroupScope.IsV2(CgroupController.Memory))
        {
            string[] lines = await ExecAsync(bundle, "memory,pids:sub");
            Assert.All(lines, line => Assert.EndsWith(line.Contains(":memory:", StringComparison.Ordinal) || line.Contains(":pids:", StringComparison.Ordinal) ? "/one/sub" : "/one", line, StringComparison.Ordinal));
        }

        foreach ((string given, string error) in new[] { ("nope", "there is no control group"), ("../one", "below the container's"), ("nope:sub", "no control group of version 1"), ("a:b:c", "[controller[,controller...]:]path") })
            Assert.Contains(error, (await Assert.ThrowsAsync<OciRuntimeException>(() => ExecAsync(bundle, given))).Message, StringComparison.Ordinal);
        await EndAsync(bundle);
    }

    [Fact]
    public async Task One_enters_the_group_of_the_first_where_the_container_has_divided_its_own()
    {
        Lane.RequiresRoot("a control group of one's own");
        CgroupScope.RequiresV2(CgroupController.Memory, "that a group that is divided takes no processes");
        using Bundle bundle = await StartAsync("mkdir /sys/fs/cgroup/first && echo 1 > /sys/fs/cgroup/first/cgroup.procs && echo +pids > /sys/fs/cgroup/cgroup.subtree_control; echo $? > /out/text; exec sleep 1000", writableGroups: true);
        await CgroupScope.UntilAsync(() => bundle.Output.Length > 0);
        Assert.Equal("0\n", bundle.Output);

        Assert.All(await ExecAsync(bundle), line => Assert.EndsWith("/one/first", line, StringComparison.Ordinal));
        await EndAsync(bundle);
    }

    [Fact]
    public async Task A_descriptor_of_the_process_is_sent_to_a_socket()
    {
        using Bundle bundle = Bundle.Shell("exec sleep 1000");
        Directory.CreateDirectory(bundle.Containers.Directory);
        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(bundle["socket"]));
        socket.Listen();
        OciProgram first = await bundle.Containers.CreateAsync("pidfd", bundle.Write() with { PidfdSocket = bundle["socket"] }, Sandbox.Token);
        using PidDescriptor firstDescriptor = await AcceptAsync(socket);
        await bundle.Containers.StartAsync("pidfd", Sandbox.Token);
        OciProgram further = await bundle.Containers.ExecAsync("pidfd", new() { Command = ["sleep", "1000"], PidfdSocket = bundle["socket"] }, Sandbox.Token);
        using PidDescriptor furtherDescriptor = await AcceptAsync(socket);

        furtherDescriptor.SendSignal(Abi.SIGKILL);
        Assert.Equal(9, (await further.WaitAsync(Sandbox.Token)).Signal);
        firstDescriptor.SendSignal(Abi.SIGKILL);
        Assert.Equal(9, (await first.WaitAsync(Sandbox.Token)).Signal);

        OciExecOptions nobody = new() { Command = ["true"], PidfdSocket = bundle["nobody"] };
        Assert.Contains(bundle["nobody"], (await Assert.ThrowsAsync<OciRuntimeException>(() => bundle.Containers.CreateAsync("pidfd-two", bundle.Write() with { PidfdSocket = nobody.PidfdSocket }, Sandbox.Token))).Message, StringComparison.Ordinal);
        Assert.Equal("pidfd", Assert.Single(bundle.Containers.List()).Id);
    }

    [Theory]
    [InlineData("/not/there")]
    [InlineData("/bin/../there")]
    [InlineData("/link/below")]
    public async Task A_working_directory_that_is_missing_is_made(string directory)
    {
        using Bundle bundle = Bundle.Shell("pwd > /out/text");
        string root = bundle.Config["root"]!["path"]!.GetValue<string>();
        Directory.CreateDirectory(Path.Join(root, "target"));
        File.CreateSymbolicLink(Path.Join(root, "link"), "../../../../target");
        bundle.Config["process"]!["cwd"] = directory;
        if (directory.Contains("..", StringComparison.Ordinal))
        {
            Assert.Contains(directory, await bundle.RefusalAsync(), StringComparison.Ordinal);
            return;
        }

        Assert.Equal(0, (await bundle.RunAsync()).ExitCode);
        Assert.Equal(directory.Replace("/link", "/target", StringComparison.Ordinal) + "\n", bundle.Output);
        Assert.True(Directory.Exists(root + directory.Replace("/link", "/target", StringComparison.Ordinal)));
    }

    /// <summary>What the runtime leaves are the parents that were asked for.</summary>
    public void Dispose()
    {
        foreach (string parent in Parents().ToArray()) Directory.Delete(parent);
    }

    private async Task<Bundle> StartAsync(string script, bool writableGroups = false)
    {
        Bundle bundle = Bundle.Shell(script);
        bundle.Config["linux"]!["cgroupsPath"] = $"/{_groups}/one";
        if (writableGroups)
        {
            bundle.Config["mounts"]!.AsArray().First(mount => mount!["destination"]!.GetValue<string>() == "/sys/fs/cgroup")!["options"] = new System.Text.Json.Nodes.JsonArray("nosuid", "noexec", "nodev");
            bundle.Config["process"]!["user"]!["uid"] = 0;
        }

        await bundle.CreateAsync("one");
        await bundle.Containers.StartAsync("one", Sandbox.Token);
        return bundle;
    }

    private async Task EndAsync(Bundle bundle)
    {
        string[] groups = Directories();
        await bundle.Containers.DeleteAsync("one", force: true, Sandbox.Token);
        Assert.All(groups, group => Assert.False(Directory.Exists(group), group));
    }

    private string[] Directories() => [.. Parents().Select(parent => Path.Join(parent, "one")).Where(Directory.Exists)];

    private IEnumerable<string> Parents() => Directory.GetDirectories("/sys/fs/cgroup").Append("/sys/fs/cgroup").Select(mount => Path.Join(mount, _groups)).Where(Directory.Exists);

    /// <returns>Its lines of /proc/[pid]/cgroup, of the hierarchies that the container has groups in.</returns>
    private async Task<string[]> ExecAsync(Bundle bundle, params string[] groups)
    {
        OciProgram program = await bundle.Containers.ExecAsync("one", new() { Command = ["sleep", "1000"], ControlGroups = groups }, Sandbox.Token);
        string[] lines = File.ReadAllLines($"/proc/{program.ProcessId}/cgroup");
        program.Signal(Abi.SIGKILL);
        await program.WaitAsync(Sandbox.Token);
        string[] own = [.. lines.Where(line => line.Contains(_groups, StringComparison.Ordinal))];
        Assert.Equal(Directories().Length, own.Length);
        return own;
    }

    private static async Task<PidDescriptor> AcceptAsync(Socket socket)
    {
        using Socket peer = await socket.AcceptAsync(Sandbox.Token);
        using FileDescriptor channel = Descriptors.Duplicate(peer.SafeHandle);
        byte[] text = new byte[64];
        for (int i = 0; i < 1000; i++)
        {
            Descriptors.TryReceive(channel, text, out FileDescriptor? sent);
            if (sent is not null)
            {
                int number = sent.Number;
                sent.SetHandleAsInvalid();
                return new PidDescriptor(number);
            }

            await Task.Delay(10, Sandbox.Token);
        }

        throw new TimeoutException("nothing was sent");
    }
}
