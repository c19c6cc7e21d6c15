using System.Text;
using Isolation.Linux;

namespace Isolation.Live.Tests;

/// <summary>Single files of containers, and what is in their directories.</summary>
public sealed class FileAccessTests
{
    [Fact]
    public async Task What_is_written_is_read_inside_and_the_other_way_round()
    {
        await using Container container = await Sandbox.SleeperAsync();
        using (StreamWriter writer = new(container.Files.OpenWrite("/tmp/in", permissions: (UnixFileMode)0x1E8))) writer.Write("from outside");

        Assert.Equal("from outside 750 0:0", await container.ExecShellAsync("cat /tmp/in; stat -c ' %a %u:%g' /tmp/in"));
        await container.ExecShellAsync("echo from inside > /tmp/out");
        using StreamReader reader = new(container.Files.OpenRead("/tmp/out"));
        Assert.Equal("from inside\n", await reader.ReadToEndAsync(Sandbox.Token));
    }

    [Fact]
    public async Task Every_mode_does_what_it_does_for_files_of_the_host()
    {
        await using Container container = await Sandbox.SleeperAsync();
        ContainerFiles files = container.Files;
        await container.ExecShellAsync("printf 12345 > /tmp/f; ln -s f /tmp/link; ln -s /tmp/nowhere /tmp/dangling");

        Write("/tmp/f", FileMode.Append, "6");
        Assert.Equal("123456", Read("/tmp/f"));
        Write("/tmp/link", FileMode.Open, "ab");
        Assert.Equal("ab3456", Read("/tmp/f"));
        Write("/tmp/f", FileMode.OpenOrCreate, "x");
        Write("/tmp/f", FileMode.Truncate, "short");
        Assert.Equal("short", Read("/tmp/f"));
        Write("/tmp/link", FileMode.Create, "new");
        Assert.Equal("new", Read("/tmp/f"));
        Write("/tmp/g", FileMode.CreateNew, "g");
        Assert.Equal("g", Read("/tmp/g"));

        Assert.Equal(Errno.EEXIST, Refusal(() => files.OpenWrite("/tmp/g", FileMode.CreateNew)));
        Assert.Equal(Errno.EEXIST, Refusal(() => files.OpenWrite("/tmp/dangling", FileMode.CreateNew)));
        Assert.Equal(Errno.EEXIST, Refusal(() => files.OpenWrite("/tmp/dangling")));
        Assert.Equal(Errno.ENOENT, Refusal(() => files.OpenWrite("/tmp/none", FileMode.Open)));
        Assert.Equal(Errno.ENOENT, Refusal(() => files.OpenWrite("/tmp/none/below")));
        Assert.Equal(Errno.EISDIR, Refusal(() => files.OpenWrite("/tmp")));
        Assert.Equal(Errno.EISDIR, Refusal(() => files.OpenWrite("/tmp/none/")));
        Assert.Equal(Errno.ENOENT, Refusal(() => files.OpenRead("/tmp/none")));
        Assert.False(files.Exists("/tmp/nowhere"));

        void Write(string path, FileMode mode, string text)
        {
            using Stream stream = files.OpenWrite(path, mode);
            stream.Write(Encoding.UTF8.GetBytes(text));
        }

        string Read(string path)
        {
            using StreamReader reader = new(files.OpenRead(path));
            return reader.ReadToEnd();
        }
    }

    [Fact]
    public async Task A_fifo_does_not_keep_the_caller_and_a_device_is_not_touched()
    {
        await using Container container = await Sandbox.SleeperAsync();
        await container.ExecShellAsync("mkfifo /tmp/fifo; ln -s /dev/zero /tmp/zero");

        foreach (string path in (string[])["/tmp/fifo", "/tmp/zero", "/dev/null"])
        {
            Assert.Equal(Errno.EINVAL, Refusal(() => container.Files.OpenRead(path)));
            Assert.Equal(Errno.EINVAL, Refusal(() => container.Files.OpenWrite(path)));
        }

        Assert.Equal(Errno.EISDIR, Refusal(() => container.Files.OpenRead("/tmp")));
    }

    [Fact]
    public async Task A_link_to_a_file_of_the_kernels_makes_the_caller_change_nothing()
    {
        await using Container container = await Sandbox.SleeperAsync(builder => builder.WithNesting());
        await container.ExecShellAsync("ln -s /proc/sys/kernel/core_pattern /tmp/out; ln -s /proc/1/root/etc/passwd /tmp/magic; ln -s /proc /tmp/p");
        using TemporaryDirectory host = new();
        host.Write("file", "| /evil");

        Assert.Equal(Errno.EPERM, Refusal(() => container.Files.OpenWrite("/tmp/out", FileMode.Open)));
        Assert.Equal(Errno.EPERM, Refusal(() => container.Files.OpenRead("/proc/version")));
        Assert.Equal(Errno.ELOOP, Refusal(() => container.Files.OpenRead("/tmp/magic")));
        ContainerException copy = await Assert.ThrowsAsync<ContainerException>(() => container.Files.CopyToAsync(host.Path + "/.", "/tmp/p", cancellationToken: Sandbox.Token));
        Assert.Equal(Errno.EPERM, copy.Errno);
        Assert.True(container.Files.Exists("/proc/version"));
    }

    [Fact]
    public async Task Links_lead_inside_the_containers_root()
    {
        using TestRoot root = new();
        using TemporaryDirectory host = new();
        host.Write("canary", "host");
        root.MakeDirectory("srv");
        await using Container container = await root.Container(RootAccess.ReadWrite, "sleep", "1000").BeginAsync();
        await container.ExecShellAsync($"ln -s {host["canary"]} /data/absolute; ln -s ../../../../../..{host["canary"]} /data/relative; ln -s ../../../../.. /data/up; echo inside > /data/f; ln -s /data/f /srv/f");

        Assert.False(container.Files.Exists("/data/absolute"));
        Assert.False(container.Files.Exists("/data/relative"));
        Assert.False(container.Files.Exists("/../../../.." + host["canary"]));
        Assert.True(container.Files.Exists("/data/up/data/up/srv/f"));
        Assert.Equal(Errno.EEXIST, Refusal(() => container.Files.OpenWrite("/data/absolute")));
        Assert.Equal("host", File.ReadAllText(host["canary"]));
        using StreamReader reader = new(container.Files.OpenRead("/srv/f"));
        Assert.Equal("inside\n", reader.ReadToEnd());
    }

    [Theory]
    [InlineData("")]
    [InlineData("relative")]
    [InlineData("../x")]
    [InlineData("/a\0b")]
    public async Task Paths_are_absolute_and_whole(string path)
    {
        await using Container container = await Sandbox.SleeperAsync();

        Assert.ThrowsAny<ArgumentException>(() => container.Files.Exists(path));
        Assert.ThrowsAny<ArgumentException>(() => container.Files.OpenRead(path));
        Assert.ThrowsAny<ArgumentException>(() => container.Files.OpenWrite(path));
        Assert.ThrowsAny<ArgumentException>(() => container.Files.Enumerate(path));
        Assert.ThrowsAny<ArgumentException>(() => { _ = container.Files.CopyToAsync("/etc/hosts", path, cancellationToken: Sandbox.Token); });
        Assert.ThrowsAny<ArgumentException>(() => { _ = container.Files.CopyFromAsync(path, "/tmp/x", cancellationToken: Sandbox.Token); });
    }

    [Fact]
    public async Task Entries_are_as_the_container_sees_them()
    {
        await using Container container = await Sandbox.SleeperAsync();
        await container.ExecShellAsync("mkdir -p /tmp/d/e/f; cd /tmp/d; printf abc > file; chmod 640 file; touch -d 2001-02-03T04:05:06Z file; ln -s file link; mkfifo fifo; touch e/f/deep; touch \"$(printf 'a\\377b')\"");

        ContainerFileEntry[] flat = [.. container.Files.Enumerate("/tmp/d").OrderBy(entry => entry.Name, StringComparer.Ordinal)];
        string[] deep = [.. container.Files.Enumerate("/tmp/d/", recursive: true).Select(entry => entry.Path).Order(StringComparer.Ordinal)];

        Assert.Equal(["a\uFFFDb", "e", "fifo", "file", "link"], flat.Select(entry => entry.Name));
        Assert.Equal(["/tmp/d/a\uFFFDb", "/tmp/d/e", "/tmp/d/e/f", "/tmp/d/e/f/deep", "/tmp/d/fifo", "/tmp/d/file", "/tmp/d/link"], deep);
        ContainerFileEntry file = flat[3];
        Assert.Equal((ContainerFileType.Regular, 3L, (UnixFileMode)0x1A0, 0u, 0u), (file.Type, file.Size, file.Mode, file.UserId, file.GroupId));
        Assert.Equal(new DateTimeOffset(2001, 2, 3, 4, 5, 6, TimeSpan.Zero), file.ModifiedAt);
        Assert.Equal((ContainerFileType.SymbolicLink, "file"), (flat[4].Type, flat[4].LinkTarget));
        Assert.Equal([ContainerFileType.Directory, ContainerFileType.Fifo], flat[1..3].Select(entry => entry.Type));
        Assert.Contains(container.Files.Enumerate("/"), entry => entry.Path == "/tmp");
        Assert.Equal(Errno.ENOTDIR, Assert.Throws<ContainerException>(() => container.Files.Enumerate("/tmp/d/file").ToArray()).Errno);
    }

    private static Errno? Refusal(Func<Stream> open)
    {
        ContainerException failure = Assert.Throws<ContainerException>(() => open().Dispose());
        Assert.Equal(ContainerErrorReason.FileAccessFailed, failure.Reason);
        return failure.Errno;
    }
}
