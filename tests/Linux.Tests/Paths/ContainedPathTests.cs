namespace Isolation.Linux.Tests;

public class ContainedPathTests
{
    private static readonly int O_NOFOLLOW = TargetAbi.Current.O_NOFOLLOW;
    private static readonly int O_DIRECTORY = TargetAbi.Current.O_DIRECTORY;

    public static TheoryData<string> Resolvers => [nameof(PathResolver.OpenAt2), nameof(PathResolver.Walk), nameof(PathResolver.Automatic)];

    internal static PathResolver Forced(string name)
    {
        var resolver = Enum.Parse<PathResolver>(name);
        Assert.SkipUnless(resolver != PathResolver.OpenAt2 || OpenAt2Resolver.Works, "openat2 does not work here: the kernel is too old, or a filter hides it.");
        return resolver;
    }

    private static string Read(TemporaryRoot root, string path, string resolver) =>
        ContainedPath.ReadAllText(root.Descriptor, path, 1000, Forced(resolver));

    private static Errno Failure(TemporaryRoot root, string path, string resolver, int flags = 0, uint mode = 0)
    {
        nint result = ContainedPath.TryOpen(root.Descriptor, path, flags, mode, Forced(resolver));
        if (!Syscall.IsError(result)) Syscall.close((int)result);
        return Syscall.ErrnoOf(result);
    }

    [Theory, MemberData(nameof(Resolvers))]
    public void Nothing_leads_outside(string resolver)
    {
        using var root = new TemporaryRoot();
        root.Directories("a/b", "tmp").Link("up", "../../..").Link("a/b/deep", "../../../../secret")
            .Link("absolute", "/secret").Link("chain", "a/b/deep").Link("slash", "/").Link("dots", "slash/../../secret");
        foreach (string path in new[]
        {
            "secret", "/secret", "//secret", "../secret", "/../../../secret", "a/../secret", "a/b/../../../../secret", "up/secret",
            "a/b/deep", "absolute", "chain", "slash/secret", "slash/slash/../up/secret", "dots", "./a/./b/.././../secret",
        })
        {
            Assert.Equal("inside", Read(root, path, resolver));
        }
    }

    [Theory, MemberData(nameof(Resolvers))]
    public void An_absolute_link_to_the_outside_finds_nothing(string resolver)
    {
        using var root = new TemporaryRoot();
        root.Link("escape", root.Outside).Link("file", Path.Combine(root.Outside, "secret"));
        Assert.Equal(Errno.ENOENT, Failure(root, "escape/secret", resolver));
        Assert.Equal(Errno.ENOENT, Failure(root, "file", resolver));
        // And creating through it creates inside.
        Assert.Equal(Errno.ENOENT, Failure(root, "file", resolver, Abi.O_WRONLY | Abi.O_CREAT, 0x180));
        root.Directories(root.Outside.TrimStart('/'));
        Assert.Equal(Errno.None, Failure(root, "file", resolver, Abi.O_WRONLY | Abi.O_CREAT | Abi.O_TRUNC, 0x180));
        Assert.Equal("outside", File.ReadAllText(Path.Combine(root.Outside, "secret")));
        Assert.Equal("", File.ReadAllText(root.At(root.Outside.TrimStart('/') + "/secret")));
    }

    [Theory, MemberData(nameof(Resolvers))]
    public void Forty_links_are_followed_and_forty_one_are_not(string resolver)
    {
        using var root = new TemporaryRoot();
        root.Link("l1", "secret");
        for (int i = 2; i <= 41; i++) root.Link($"l{i}", $"l{i - 1}");
        Assert.Equal("inside", Read(root, "l40", resolver));
        Assert.Equal(Errno.ELOOP, Failure(root, "l41", resolver));
        root.Link("self", "self");
        Assert.Equal(Errno.ELOOP, Failure(root, "self", resolver));
    }

    [Theory, MemberData(nameof(Resolvers))]
    public void Magic_links_are_refused_and_ordinary_ones_of_procfs_are_not(string resolver)
    {
        using var host = FileDescriptor.Open("/", Abi.O_PATH);
        var forced = Forced(resolver);
        foreach (string path in new[] { "proc/self/root", "proc/self/root/etc", "proc/self/cwd", "proc/self/exe", "proc/self/ns/mnt", $"proc/self/fd/{host.Number}" })
        {
            var e = Assert.Throws<LinuxException>(() => ContainedPath.Open(host, path, Abi.O_PATH, 0, forced));
            Assert.Equal(Errno.ELOOP, e.Errno);
        }
        Assert.StartsWith("Name:", ContainedPath.ReadAllText(host, "proc/self/status", 1 << 20, forced), StringComparison.Ordinal);
        Assert.Contains("/proc", ContainedPath.ReadAllText(host, "proc/mounts", 1 << 20, forced), StringComparison.Ordinal);
        // The link itself may be looked at.
        Assert.Equal(FileType.SymbolicLink, ContainedPath.Stat(host, "proc/self/exe", follow: false, forced).Type);
    }

    [Theory, MemberData(nameof(Resolvers))]
    public void The_last_link_is_not_followed_where_that_is_asked(string resolver)
    {
        using var root = new TemporaryRoot();
        root.Directories("d").Text("d/f", "x").Link("link", "d").Link("broken", "nowhere");
        Assert.Equal(FileType.SymbolicLink, ContainedPath.Stat(root.Descriptor, "link", follow: false, Forced(resolver)).Type);
        Assert.Equal(FileType.Directory, ContainedPath.Stat(root.Descriptor, "link", follow: true, Forced(resolver)).Type);
        Assert.Equal(FileType.Directory, ContainedPath.Stat(root.Descriptor, "link/", follow: false, Forced(resolver)).Type);
        Assert.Equal(FileType.SymbolicLink, ContainedPath.Stat(root.Descriptor, "broken", follow: false, Forced(resolver)).Type);
        Assert.Equal(Errno.ELOOP, Failure(root, "link", resolver, O_NOFOLLOW));
        Assert.Equal(Errno.ENOTDIR, Failure(root, "link", resolver, O_NOFOLLOW | O_DIRECTORY));
        Assert.Equal(Errno.ENOTDIR, Failure(root, "link", resolver, O_NOFOLLOW | O_DIRECTORY | Abi.O_PATH));
        Assert.Equal(Errno.None, Failure(root, "link/f", resolver, O_NOFOLLOW));
    }

    [Theory, MemberData(nameof(Resolvers))]
    public void What_cannot_be_is_told_as_the_kernel_tells_it(string resolver)
    {
        using var root = new TemporaryRoot();
        root.Directories("d");
        Assert.Equal(Errno.ENOENT, Failure(root, "", resolver));
        Assert.Equal(Errno.ENOENT, Failure(root, "nothing", resolver));
        Assert.Equal(Errno.ENOENT, Failure(root, "nothing/../secret", resolver));
        Assert.Equal(Errno.ENOTDIR, Failure(root, "secret/", resolver));
        Assert.Equal(Errno.ENOTDIR, Failure(root, "secret/..", resolver));
        Assert.Equal(Errno.ENOTDIR, Failure(root, "secret", resolver, O_DIRECTORY));
        Assert.Equal(Errno.EISDIR, Failure(root, "d", resolver, Abi.O_WRONLY));
        Assert.Equal(Errno.EISDIR, Failure(root, "new/", resolver, Abi.O_WRONLY | Abi.O_CREAT, 0x180));
        Assert.Equal(Errno.EISDIR, Failure(root, "..", resolver, Abi.O_WRONLY | Abi.O_CREAT, 0x180));
        Assert.Equal(Errno.EEXIST, Failure(root, "secret", resolver, Abi.O_WRONLY | Abi.O_CREAT | Abi.O_EXCL, 0x180));
        Assert.Equal(Errno.EINVAL, Failure(root, "secret", resolver, Abi.O_PATH | Abi.O_CREAT, 0x180));
        Assert.Equal(Errno.EINVAL, Failure(root, "secret", resolver, Abi.O_RDONLY, 0x180));
        Assert.Equal(Errno.ENAMETOOLONG, Failure(root, new string('n', 256), resolver));
        Assert.Equal(Errno.ENAMETOOLONG, Failure(root, new string('/', 4096), resolver));
        Assert.Equal(Errno.None, Failure(root, new string('/', 4095), resolver));
        Assert.Throws<ArgumentException>(() => Failure(root, "secret\0x", resolver));
    }

    [Theory, MemberData(nameof(Resolvers))]
    public void Creating_through_a_link_creates_its_target_inside_unless_it_is_exclusive(string resolver)
    {
        using var root = new TemporaryRoot();
        root.Link("link", "/../new");
        Assert.Equal(Errno.EEXIST, Failure(root, "link", resolver, Abi.O_WRONLY | Abi.O_CREAT | Abi.O_EXCL, 0x180));
        Assert.False(File.Exists(root.At("new")));
        Assert.Equal(Errno.None, Failure(root, "link", resolver, Abi.O_WRONLY | Abi.O_CREAT, 0x180));
        Assert.Equal(0x180u, ContainedPath.Stat(root.Descriptor, "new", follow: false, Forced(resolver)).Mode);
    }

    [Theory, MemberData(nameof(Resolvers))]
    public void Names_need_not_be_UTF8(string resolver)
    {
        // A link whose text is no UTF-8 must lead where its bytes say, not where their replacement characters would.
        using var root = new TemporaryRoot();
        using var child = Child.Spawn("/bin/sh", "-c", $"cd '{root.Inside}' && printf found > \"$(printf 'x\\377y')\" && ln -s \"$(printf 'x\\377y')\" link");
        Assert.Equal(0, child.WaitForEnd().ExitCode);
        Assert.Equal("found", Read(root, "link", resolver));
        // .NET cannot name the file, so it cannot delete it either.
        using var remover = Child.Spawn("/bin/rm", "-r", root.Inside);
        Assert.Equal(0, remover.WaitForEnd().ExitCode);
    }

    [Fact]
    public void What_is_opened_is_close_on_exec_and_failures_name_the_path()
    {
        using var root = new TemporaryRoot();
        foreach (var resolver in new[] { PathResolver.Automatic, PathResolver.Walk })
        {
            using var file = ContainedPath.Open(root.Descriptor, "secret", Abi.O_RDONLY, 0, resolver);
            using var path = ContainedPath.Open(root.Descriptor, "secret", Abi.O_PATH, 0, resolver);
            using var top = ContainedPath.Open(root.Descriptor, "/", Abi.O_PATH, 0, resolver);
            foreach (var opened in new[] { file, path, top }) Assert.Equal(Abi.FD_CLOEXEC, Syscall.fcntl(opened.Number, Abi.F_GETFD));
            var e = Assert.Throws<LinuxException>(() => ContainedPath.Open(root.Descriptor, "no/such", Abi.O_PATH, 0, resolver));
            Assert.EndsWith($"({root.Descriptor.Number}, \"no/such\", O_PATH): ENOENT (No such file or directory)", e.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_walk_leaves_no_descriptor_behind()
    {
        using var root = new TemporaryRoot();
        root.Directories("a/b/c").Link("a/b/c/up", "../../../secret").Link("loop", "loop");
        foreach (string path in new[] { "a/b/c/up", "a/b/c/../../..", "a/b/nothing", "loop", "secret/x" })
        {
            nint result = ContainedPath.TryOpen(root.Descriptor, path, Abi.O_RDONLY, 0, PathResolver.Walk);
            if (!Syscall.IsError(result)) Syscall.close((int)result);
        }
        using var left = ContainedPath.Open(root.Descriptor, "a/b", Abi.O_RDONLY, 0, PathResolver.Walk);
        var open = Directory.GetFileSystemEntries("/proc/self/fd").Select(f => new FileInfo(f).LinkTarget ?? "");
        Assert.Equal([root.At("a/b")], open.Where(f => f.StartsWith(root.Inside + "/", StringComparison.Ordinal)));
    }
}
