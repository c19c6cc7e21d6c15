using Isolation.Launch;
using Isolation.Linux;

namespace Isolation.Tests;

/// <summary>Users and groups are those of the container's own files, read from outside and never outside of its root.</summary>
public sealed class IdentityResolverTests : IDisposable
{
    private const string Passwd = "root:x:0:0:root:/root:/bin/sh\n# comment:x:1:1::/:\nuser:x:1000:100:A User:/home/user:/bin/sh\nbad:x:huge:0::/:\nshort:x:5\n5000:x:7:8::/seven:\nempty:x:9:9:::\n";
    private const string Group = "root:x:0:\nusers:x:100:\nadm:x:4:user,other\nvideo:x:44:other,user\nusers2:x:100:user\nbroken:x:x:user\n";

    private readonly TemporaryDirectory _directory = new();

    public IdentityResolverTests()
    {
        _directory.Write("etc/passwd", Passwd);
        _directory.Write("etc/group", Group);
    }

    [Theory]
    [InlineData(null, "0:0 [] /root")]
    [InlineData("root", "0:0 [] /root")]
    [InlineData("user", "1000:100 [4, 44] /home/user")]
    [InlineData("1000", "1000:100 [4, 44] /home/user")]
    [InlineData("user:adm", "1000:4 [] /home/user")]
    [InlineData("user:12345", "1000:12345 [] /home/user")]
    [InlineData("54321", "54321:0 [] /")]
    [InlineData("54321:video", "54321:44 [] /")]
    [InlineData("5000", "7:8 [] /seven")] // a name that looks like a number is a name first
    [InlineData("empty", "9:9 [] /")]
    public void A_user_is_looked_up_by_name_then_by_number(string? user, string identity) => Assert.Equal(identity, Text(Resolve(user)));

    [Theory]
    [InlineData("nobody", ContainerErrorReason.UserNotFound, "'nobody'"), InlineData("user:nobody", ContainerErrorReason.GroupNotFound, "'nobody'")]
    [InlineData("bad", ContainerErrorReason.UserNotFound, "'bad'"), InlineData("short", ContainerErrorReason.UserNotFound, "'short'"), InlineData("user:broken", ContainerErrorReason.GroupNotFound, "'broken'")]
    public void A_name_that_is_not_there_is_named(string user, ContainerErrorReason reason, string name)
    {
        ContainerException exception = Assert.Throws<ContainerException>(() => Resolve(user));
        Assert.Equal(reason, exception.Reason);
        Assert.Contains(name, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_root_without_the_files_knows_numbers_only()
    {
        File.Delete(_directory["etc/passwd"]);
        File.Delete(_directory["etc/group"]);
        Assert.Equal("1000:5 [] /", Text(Resolve("1000:5")));
        Assert.Throws<ContainerException>(() => Resolve("root"));
    }

    [Fact]
    public void Links_are_followed_inside_the_root_and_not_out_of_it()
    {
        File.Move(_directory["etc/passwd"], _directory["elsewhere"]);
        File.CreateSymbolicLink(_directory["etc/passwd"], "/elsewhere"); // absolute: of the container's root
        Assert.Equal("1000:100 [4, 44] /home/user", Text(Resolve("user")));
    }

    [Fact]
    public void Files_that_are_bound_over_the_roots_own_are_read()
    {
        string passwd = _directory.Write("bound", "user:x:7:7::/bound:\n");
        Assert.Equal("7:7 [4, 44, 100] /bound", Text(Resolve("user", new BindMount(passwd, "/etc/passwd"))));
        _directory.Write("dir/passwd", "user:x:8:8::/dir:\n");
        Assert.Equal("8:8 [] /dir", Text(Resolve("user", new BindMount(_directory["dir"], "/etc"))));
    }

    [Fact]
    public void In_the_host_user_namespace_the_program_is_who_the_caller_is()
    {
        ContainerSpec spec = new() { Namespaces = new() { User = NamespaceSource.Host } };
        Identity identity = IdentityResolver.Resolve(spec, new HostFacts { UserId = 1000, GroupId = 100 }, root: null);
        Assert.Equal((1000u, 100u), (identity.UserId, identity.GroupId));
        Assert.Equal(Identity.Root, IdentityResolver.Resolve(spec with { Namespaces = new() }, new HostFacts { UserId = 1000, GroupId = 100 }, root: null));
    }

    public void Dispose() => _directory.Dispose();

    private Identity Resolve(string? user, params MountSpec[] mounts)
    {
        using DirectoryView root = new(FileDescriptor.Open(_directory.Path, Abi.O_PATH | TargetAbi.Current.O_DIRECTORY));
        return IdentityResolver.Resolve(new ContainerSpec { User = user is null ? null : UserSpec.Parse(user), Mounts = [.. mounts] }, new HostFacts(), root);
    }

    private static string Text(Identity identity) => $"{identity.UserId}:{identity.GroupId} [{string.Join(", ", identity.Groups)}] {identity.Home}";
}
