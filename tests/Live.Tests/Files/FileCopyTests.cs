using Isolation.Linux;

namespace Isolation.Live.Tests;

/// <summary>Trees in and out of containers.</summary>
public sealed class FileCopyTests
{
    public enum Place
    {
        Tmpfs,
        Layer,
        Directory,
        HostRoot,
        Bind,
    }

    [Theory]
    [InlineData(Place.Tmpfs, false)]
    [InlineData(Place.Layer, false)]
    [InlineData(Place.Layer, true)]
    [InlineData(Place.Directory, false)]
    [InlineData(Place.HostRoot, false)]
    [InlineData(Place.Bind, false)]
    public async Task A_tree_comes_back_as_it_was(Place place, bool paused)
    {
        using TestRoot root = new();
        using TemporaryDirectory host = new(), bound = new();
        FileTree.Make(host["tree"]);
        ContainerBuilder builder = place switch
        {
            Place.HostRoot => Sandbox.Host("sleep", "1000"),
            Place.Layer => root.Container(RootAccess.Layered, "sleep", "1000"),
            Place.Bind => root.Container(RootAccess.ReadOnly, "sleep", "1000").WithBind(bound.Path, "/data"),
            _ => root.Container(RootAccess.ReadWrite, "sleep", "1000"),
        };
        string at = place is Place.Tmpfs ? "/tmp/tree" : place is Place.HostRoot ? "/run/tree" : "/data/tree";
        await using Container container = await builder.BeginAsync();
        if (paused) await container.PauseAsync(Sandbox.Token);

        FileCopyResult into = await container.Files.CopyToAsync(host["tree"], at, cancellationToken: Sandbox.Token);
        FileCopyResult back = await container.Files.CopyFromAsync(at, host["back"], cancellationToken: Sandbox.Token);

        // Attributes of users on tmpfs are of Linux 6.6.
        bool attributes = place is not (Place.Tmpfs or Place.HostRoot) || Environment.OSVersion.Version >= new Version(6, 6);
        Assert.Equal(await FileTree.OfAsync(host["tree"], attributes), await FileTree.OfAsync(host["back"], attributes));
        Assert.Equal(into, back);
        Assert.Equal((10, 5, 4), (into.Files, into.Directories, into.Links));
        Assert.True(FileTree.Blocks(host["back/sparse"]) < 64 << 20);
        Assert.True(into.Bytes < 8 << 20, $"{into.Bytes} bytes");
        if (paused) await container.ResumeAsync(Sandbox.Token);
        string owners = await container.ExecShellAsync($"find {at} | while read -r f; do stat -c %u:%g \"$f\"; done | sort -u");
        Assert.Equal("0:0", owners);
    }

    [Fact]
    public async Task Of_a_container_that_has_ended_its_directory_is_left()
    {
        using TestRoot root = new();
        using TemporaryDirectory host = new();
        FileTree.Make(host["tree"]);
        await using Container container = await root.Shell("echo made > /data/made", RootAccess.ReadWrite).BeginAsync();
        Assert.True((await container.EndAsync()).Succeeded);

        await container.Files.CopyToAsync(host["tree"], "/data/tree", cancellationToken: Sandbox.Token);
        await container.Files.CopyFromAsync("/data", host["back"], cancellationToken: Sandbox.Token);

        Assert.Equal("made\n", await File.ReadAllTextAsync(host["back/made"], Sandbox.Token));
        Assert.Equal(await FileTree.OfAsync(host["tree"]), await FileTree.OfAsync(host["back/tree"]));
    }

    [Fact]
    public async Task What_is_gone_or_was_read_only_is_said_to_be()
    {
        using TestRoot root = new();
        await using Container layered = await Sandbox.Host("true").BeginAsync();
        await using Container readOnly = await root.Shell("true").BeginAsync();
        await layered.EndAsync();
        await readOnly.EndAsync();

        Assert.Equal(ContainerState.Ended, Assert.Throws<ContainerStateException>(() => layered.Files.Exists("/etc")).State);
        await Assert.ThrowsAsync<ContainerStateException>(() => layered.Files.CopyFromAsync("/etc", "/tmp/never", cancellationToken: Sandbox.Token));
        Assert.True(readOnly.Files.Exists("/data"));
        Assert.Throws<ContainerStateException>(() => readOnly.Files.OpenWrite("/data/new"));
        await Assert.ThrowsAsync<ContainerStateException>(() => readOnly.Files.CopyToAsync(root["etc/hosts"], "/data", cancellationToken: Sandbox.Token));
        Assert.Empty(Directory.GetFileSystemEntries(root["data"]));
    }

    [Fact]
    public async Task A_copy_lies_where_cp_would_put_it()
    {
        using TemporaryDirectory host = new();
        host.Write("source/file", "one");
        host.Write("single", "two");
        await using Container container = await Sandbox.SleeperAsync();
        ContainerFiles files = container.Files;
        await container.ExecShellAsync("mkdir -p /tmp/there /tmp/merged; echo old > /tmp/merged/file; echo kept > /tmp/merged/other; chmod 711 /tmp/merged; ln -s there /tmp/to-there; ln -s /tmp/nowhere /tmp/to-nowhere");

        await files.CopyToAsync(host["source"], "/tmp/new", cancellationToken: Sandbox.Token);
        await files.CopyToAsync(host["source"], "/tmp/there", cancellationToken: Sandbox.Token);
        await files.CopyToAsync(host["source"] + "/.", "/tmp/merged", cancellationToken: Sandbox.Token);
        await files.CopyToAsync(host["single"], "/tmp/to-there", cancellationToken: Sandbox.Token);
        await files.CopyToAsync(host["single"], "/tmp/to-nowhere", cancellationToken: Sandbox.Token);
        await files.CopyToAsync(host["single"], "/tmp/named", cancellationToken: Sandbox.Token);

        Assert.Equal("one\none\none\nkept\ntwo\ntwo\ntwo\n711\nregular file".Replace("\n", "", StringComparison.Ordinal), (await container.ExecShellAsync(
            "cat /tmp/new/file /tmp/there/source/file /tmp/merged/file /tmp/merged/other /tmp/there/single /tmp/to-nowhere /tmp/named; stat -c %a /tmp/merged; stat -c %F /tmp/to-nowhere")).Replace("\n", "", StringComparison.Ordinal));
        Assert.False(files.Exists("/tmp/nowhere"));

        await files.CopyFromAsync("/tmp/merged/.", host["out"], cancellationToken: Sandbox.Token);
        await files.CopyFromAsync("/tmp/merged", host["out"], cancellationToken: Sandbox.Token);
        await files.CopyFromAsync("/tmp/to-there", host["link"], cancellationToken: Sandbox.Token);
        Assert.Equal(["file", "merged", "other"], Directory.GetFileSystemEntries(host["out"]).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal("there", new FileInfo(host["link"]).LinkTarget);

        foreach ((string from, string to, Errno errno) in ((string, string, Errno)[])
            [("/tmp/missing", host["x"], Errno.ENOENT), ("/tmp/merged", host["no/such"], Errno.ENOENT), ("/tmp/merged", host["single"], Errno.ENOTDIR), ("/proc", host["x"], Errno.EPERM)])
        {
            ContainerException failure = await FailsAsync(files.CopyFromAsync(from, to, cancellationToken: Sandbox.Token));
            Assert.Equal((ContainerErrorReason.FileAccessFailed, errno), (failure.Reason, failure.Errno));
        }
    }

    [Fact]
    public async Task A_copy_that_lies_in_its_own_source_is_refused()
    {
        using TemporaryDirectory host = new();
        host.Write("inner/file", "one");
        await using Container container = await Sandbox.SleeperAsync(builder => builder.WithBind(host.Path, "/mnt"));

        ContainerException failure = await FailsAsync(container.Files.CopyToAsync(host.Path, "/mnt/inner", cancellationToken: Sandbox.Token));

        Assert.Equal(Errno.EINVAL, failure.Errno);
        Assert.Contains("inside the source", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_full_file_system_ends_the_copy_and_names_the_file()
    {
        using TemporaryDirectory host = new();
        host.Write("tree/a", "small");
        File.WriteAllBytes(host["tree/b-large"], System.Security.Cryptography.RandomNumberGenerator.GetBytes(8 << 20));
        await using Container container = await Sandbox.SleeperAsync(builder => builder.WithTmpfs("/small", new TmpfsOptions { SizeBytes = 2 << 20 }));

        ContainerException failure = await FailsAsync(container.Files.CopyToAsync(host["tree"], "/small", cancellationToken: Sandbox.Token));

        Assert.Equal((ContainerErrorReason.FileAccessFailed, Errno.ENOSPC), (failure.Reason, failure.Errno));
        Assert.Contains("tree/b-large", failure.Message, StringComparison.Ordinal);
        Assert.Contains("after ", failure.Message, StringComparison.Ordinal);
        Assert.Equal("", await container.ExecShellAsync("ls -A /small/tree | grep -v '^a$' || true"));
    }

    [Fact]
    public async Task A_cancelled_copy_ends_and_leaves_no_part_of_a_file()
    {
        using TemporaryDirectory host = new();
        host.MakeDirectory("out");
        await using Container container = await Sandbox.SleeperAsync();
        await container.ExecShellAsync("mkdir /tmp/many && cd /tmp/many && seq 5000 | xargs touch && dd if=/dev/zero of=large bs=1M count=128 2>/dev/null");
        using CancellationTokenSource cancel = new();
        Task<FileCopyResult> copy = container.Files.CopyFromAsync("/tmp/many", host["out"], cancellationToken: cancel.Token);
        while (!Directory.Exists(host["out/many"])) await Task.Yield();
        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => copy);

        Assert.DoesNotContain(Directory.GetFiles(host["out/many"]), file => Path.GetFileName(file) == "large" && new FileInfo(file).Length < 128 << 20);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => container.Files.CopyFromAsync("/tmp/many", host["never"], cancellationToken: cancel.Token));
        Assert.False(Directory.Exists(host["never"]));
    }

    [Fact]
    public async Task Limits_end_a_copy()
    {
        using TemporaryDirectory host = new();
        await using Container container = await Sandbox.SleeperAsync();
        await container.ExecShellAsync("mkdir /tmp/many && cd /tmp/many && seq 200 | xargs touch && mkdir /tmp/huge && truncate -s 4E /tmp/huge/file");

        ContainerException many = await FailsAsync(container.Files.CopyFromAsync("/tmp/many", host["a"], new() { MaxEntries = 100 }, Sandbox.Token));
        ContainerException huge = await FailsAsync(container.Files.CopyFromAsync("/tmp/huge", host["b"], new() { MaxBytes = 1 << 20 }, Sandbox.Token));

        Assert.Equal(Errno.EOVERFLOW, many.Errno);
        Assert.Equal(Errno.EFBIG, huge.Errno);
    }

    [Fact]
    public async Task Set_id_bits_are_dropped_unless_they_are_asked_for()
    {
        using TemporaryDirectory host = new();
        await using Container container = await Sandbox.SleeperAsync();
        await container.ExecShellAsync("mkdir /tmp/d && touch /tmp/d/f && chmod 6755 /tmp/d/f && chmod 3777 /tmp/d");

        await container.Files.CopyFromAsync("/tmp/d", host["plain"], cancellationToken: Sandbox.Token);
        await container.Files.CopyFromAsync("/tmp/d", host["kept"], new() { KeepSetId = true }, Sandbox.Token);

        Assert.Equal((0x1ED, 0x3FF), ((int)File.GetUnixFileMode(host["plain/f"]), (int)File.GetUnixFileMode(host["plain"])));
        Assert.Equal((0xDED, 0x7FF), ((int)File.GetUnixFileMode(host["kept/f"]), (int)File.GetUnixFileMode(host["kept"])));
    }

    [Fact]
    public async Task Sockets_are_left_out_and_devices_end_the_copy_unless_they_are_too()
    {
        using TemporaryDirectory host = new();
        await using Container container = await Sandbox.SleeperAsync();

        ContainerException failure = await FailsAsync(container.Files.CopyFromAsync("/dev/null", host["null"], cancellationToken: Sandbox.Token));
        FileCopyResult all = await container.Files.CopyFromAsync("/dev", host["dev"], new() { SkipDevices = true }, Sandbox.Token);

        Assert.Equal(Errno.EPERM, failure.Errno);
        Assert.Contains("SkipDevices", failure.Remedy, StringComparison.Ordinal);
        Assert.True(all.Skipped > 4);
        Assert.True(Directory.Exists(host["dev/shm"]));
        Assert.False(File.Exists(host["dev/null"]));
    }

    private static Task<ContainerException> FailsAsync(Task task) => Assert.ThrowsAsync<ContainerException>(() => task);
}
