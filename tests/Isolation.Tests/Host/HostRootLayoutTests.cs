using System.Collections.Immutable;
using Isolation.Launch;

namespace Isolation.Tests;

public class HostRootLayoutTests
{
    private static readonly ImmutableArray<HostRootEntry> Entries =
    [
        new("bin", HostEntryKind.SymbolicLink, "usr/bin", 0x1FF), new("dev", HostEntryKind.Directory, null, 0x1ED), new("etc", HostEntryKind.Directory, null, 0x1ED),
        new("mnt", HostEntryKind.EmptyDirectory, null, 0x1C0), new("swap", HostEntryKind.File, null, 0x180), new("tmp", HostEntryKind.Directory, null, 0x3FF), new("usr", HostEntryKind.Directory, null, 0x1ED),
    ];

    [Fact]
    public void With_the_host_user_namespace_one_layer_lies_over_the_root_and_one_over_each_mount() =>
        Assert.Equal(["Overlay /", "Overlay /home", "Bind /etc/machine-id", "Overlay /home/user"], Layout(NamespaceSource.Host,
            new("/", "ext4", true), new("/home", "btrfs", true), new("/etc/machine-id", "tmpfs", false), new("/home/user", "fuse", true)));

    [Fact]
    public void What_every_container_has_of_its_own_is_not_taken_from_the_host() =>
        Assert.Equal(["Overlay /", "Overlay /temporary"], Layout(NamespaceSource.Host,
            new("/", "ext4", true), new("/proc", "proc", true), new("/sys", "sysfs", true), new("/dev", "devtmpfs", true), new("/tmp", "tmpfs", true), new("/run", "tmpfs", true),
            new("/dev/pts", "devpts", true), new("/run/user/1000", "tmpfs", true), new("/temporary", "tmpfs", true)));

    [Fact]
    public void Files_of_etc_that_the_container_is_given_are_not_covered_by_the_mounts_of_a_host_that_is_a_container() =>
        Assert.Equal(["Overlay /", "Bind /etc/resolv.conf"], Layout(NamespaceSource.Host,
            new("/", "overlay", true), new("/etc/hosts", "ext4", false), new("/etc/hostname", "ext4", false), new("/etc/resolv.conf", "ext4", false)));

    [Fact]
    public void In_a_new_user_namespace_every_directory_of_the_root_has_a_layer_of_its_own() =>
        Assert.Equal(
            ["Skeleton /", "Link /bin -> usr/bin", "Directory /dev", "Overlay /etc", "Directory /mnt", "Bind /swap", "Directory /tmp", "Overlay /usr", "Directory /proc", "Directory /sys", "Directory /run"],
            Layout(NamespaceSource.New, new HostMount("/", "ext4", true)));

    [Fact]
    public void There_a_directory_with_mounts_beneath_is_taken_whole_and_its_free_children_are_laid_over()
    {
        ImmutableArray<HostRootEntry> entries =
        [
            new("usr", HostEntryKind.Directory, null, 0x1ED), new("usr/bin", HostEntryKind.Directory, null, 0x1ED), new("usr/lib", HostEntryKind.Directory, null, 0x1ED), new("usr/share", HostEntryKind.Directory, null, 0x1ED),
        ];
        PlanInputs inputs = Inputs(NamespaceSource.New, entries, new("/", "ext4", true), new("/usr/lib/wsl", "9p", true), new("/usr/share", "nfs", true));
        Assert.Equal(["Skeleton /", "Bind /usr", "Overlay /usr/bin", "Overlay /usr/share"], HostRootLayout.For(inputs).Select(Text).Take(4));
        Assert.Equal(["/usr"], HostRootLayout.WithoutLayer(inputs));
    }

    [Fact]
    public void A_mount_on_a_name_that_only_begins_alike_changes_nothing() =>
        Assert.Contains("Overlay /usr", Layout(NamespaceSource.New, new HostMount("/", "ext4", true), new HostMount("/usr2/x", "ext4", true)));

    [Fact]
    public void Empty_directories_keep_their_mode() =>
        Assert.Equal(0x1C0, HostRootLayout.For(Inputs(NamespaceSource.New, Entries)).Single(part => part.Path == "mnt").Mode);

    private static string[] Layout(NamespaceSource user, params HostMount[] mounts) => [.. HostRootLayout.For(Inputs(user, Entries, mounts)).Select(Text)];

    private static PlanInputs Inputs(NamespaceSource user, ImmutableArray<HostRootEntry> entries, params HostMount[] mounts) => new(
        new ContainerSpec { Root = new HostRoot(), Command = ["sh"], Namespaces = new() { User = user } },
        new HostFacts { Mounts = [.. mounts], RootEntries = entries });

    private static string Text(HostRootPart part) => $"{part.Kind} /{part.Path}{(part.Link is null ? "" : " -> " + part.Link)}";
}
