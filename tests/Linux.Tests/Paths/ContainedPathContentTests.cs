namespace Isolation.Linux.Tests;

public class ContainedPathContentTests
{
    [Fact]
    public void Missing_directories_are_created_inside_links_and_dots_included()
    {
        using var root = new TemporaryRoot();
        root.Directories("run").Link("var", "/run").Link("dangling", "/../x/y").Link("out", root.Outside + "/new");
        using (ContainedPath.CreateDirectories(root.Descriptor, "a/b/c")) { }
        using (ContainedPath.CreateDirectories(root.Descriptor, "a/b/c")) { }
        using (ContainedPath.CreateDirectories(root.Descriptor, "var/lock/")) { }
        using (ContainedPath.CreateDirectories(root.Descriptor, "dangling/z")) { }
        using (ContainedPath.CreateDirectories(root.Descriptor, "../../p/../q")) { }
        using (ContainedPath.CreateDirectories(root.Descriptor, "out")) { }
        foreach (string path in new[] { "a/b/c", "run/lock", "x/y/z", "p", "q", root.Outside.TrimStart('/') + "/new" })
            Assert.True(Directory.Exists(root.At(path)), path);
        Assert.Empty(Directory.GetDirectories(root.Outside));
        Assert.Equal(["outside", "root", "secret"], Directory.GetFileSystemEntries(root.Base).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void The_directory_returned_is_the_one_created()
    {
        using var root = new TemporaryRoot();
        using var directory = ContainedPath.CreateDirectories(root.Descriptor, "a/b", 0x1C0);
        var status = FileStatus.Of(directory);
        Assert.Equal(0x1C0u, status.Mode);
        Assert.True(status.IsSameFile(ContainedPath.Stat(root.Descriptor, "a/b")));
    }

    [Fact]
    public void A_file_in_the_way_is_told()
    {
        using var root = new TemporaryRoot();
        Assert.Equal(Errno.ENOTDIR, Assert.Throws<LinuxException>(() => ContainedPath.CreateDirectories(root.Descriptor, "secret")).Errno);
        Assert.Equal(Errno.ENOTDIR, Assert.Throws<LinuxException>(() => ContainedPath.CreateDirectories(root.Descriptor, "secret/x")).Errno);
    }

    [Theory, MemberData(nameof(ContainedPathTests.Resolvers), MemberType = typeof(ContainedPathTests))]
    public void Existence(string resolver)
    {
        using var root = new TemporaryRoot();
        root.Link("broken", "/nowhere").Link("loop", "loop");
        var forced = ContainedPathTests.Forced(resolver);
        Assert.True(ContainedPath.Exists(root.Descriptor, "secret", forced));
        Assert.True(ContainedPath.Exists(root.Descriptor, "/", forced));
        Assert.False(ContainedPath.Exists(root.Descriptor, "nothing", forced));
        Assert.False(ContainedPath.Exists(root.Descriptor, "secret/x", forced));
        Assert.False(ContainedPath.Exists(root.Descriptor, "broken", forced));
        Assert.Equal(Errno.ELOOP, Assert.Throws<LinuxException>(() => ContainedPath.Exists(root.Descriptor, "loop", forced)).Errno);
    }

    [Fact]
    public void A_status_tells_files_apart_and_names_devices()
    {
        using var host = FileDescriptor.Open("/", Abi.O_PATH);
        var device = ContainedPath.Stat(host, "dev/null");
        Assert.Equal(FileType.CharacterDevice, device.Type);
        Assert.Equal((1u, 3u), device.RawDevice);
        using var root = new TemporaryRoot();
        var file = ContainedPath.Stat(root.Descriptor, "secret");
        Assert.Equal(FileType.Regular, file.Type);
        Assert.Equal("inside".Length, file.Size);
        Assert.Equal((uint)Syscall.Invoke(SystemCall.geteuid), file.Uid);
        Assert.True(file.IsSameFile(ContainedPath.Stat(root.Descriptor, "/../secret")));
        Assert.False(file.IsSameFile(ContainedPath.Stat(root.Descriptor, "/")));
        Assert.Equal(FileType.Unknown, default(FileStatus).Type);
    }

    [Fact]
    public void A_file_is_read_up_to_its_limit_and_no_further()
    {
        using var root = new TemporaryRoot();
        byte[] content = [.. Enumerable.Range(0, 5000).Select(i => (byte)i)];
        File.WriteAllBytes(root.At("file"), content);
        Assert.Equal(content, ContainedPath.ReadAllBytes(root.Descriptor, "file", 5000));
        var e = Assert.Throws<LinuxException>(() => ContainedPath.ReadAllBytes(root.Descriptor, "file", 4999));
        Assert.Equal(Errno.EFBIG, e.Errno);
        Assert.StartsWith("read(\"file\", at most 4999 bytes): EFBIG", e.Message, StringComparison.Ordinal);
        root.Text("empty", "");
        Assert.Empty(ContainedPath.ReadAllBytes(root.Descriptor, "empty", 0));
    }

    [Fact]
    public void A_file_that_gives_no_size_is_read_whole_and_bounded()
    {
        using var host = FileDescriptor.Open("/", Abi.O_PATH);
        Assert.Equal(0, ContainedPath.Stat(host, "proc/self/maps").Size);
        byte[] maps = ContainedPath.ReadAllBytes(host, "proc/self/maps", 1 << 24);
        Assert.InRange(maps.Length, 4097, 1 << 24);
        Assert.Equal(Errno.EFBIG, Assert.Throws<LinuxException>(() => ContainedPath.ReadAllBytes(host, "proc/self/maps", 1000)).Errno);
    }

    [Fact]
    public async Task What_is_no_regular_file_is_refused_and_does_not_hang()
    {
        using var root = new TemporaryRoot();
        root.Directories("d").Link("zero", "/dev/zero");
        using var child = Child.Spawn("/usr/bin/mkfifo", root.At("fifo"));
        Assert.Equal(0, child.WaitForEnd().ExitCode);
        // A FIFO without a writer: to open it for reading would wait for ever.
        var reading = Task.Run(() => ContainedPath.ReadAllBytes(root.Descriptor, "fifo", 10), TestContext.Current.CancellationToken);
        var e = await Assert.ThrowsAsync<LinuxException>(() => reading.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
        Assert.Equal(Errno.EINVAL, e.Errno);
        Assert.Equal(Errno.EISDIR, Assert.Throws<LinuxException>(() => ContainedPath.ReadAllBytes(root.Descriptor, "d", 10)).Errno);
        using var host = FileDescriptor.Open("/", Abi.O_PATH);
        Assert.Equal(Errno.EINVAL, Assert.Throws<LinuxException>(() => ContainedPath.ReadAllBytes(host, "dev/zero", 10)).Errno);
    }

    [Fact]
    public void Text_is_UTF8_and_bad_bytes_do_no_harm()
    {
        using var root = new TemporaryRoot();
        File.WriteAllBytes(root.At("file"), [.. "é"u8, 0xff]);
        Assert.Equal("é\ufffd", ContainedPath.ReadAllText(root.Descriptor, "file", 10));
    }
}
