using System.IO.Compression;
using Isolation.Linux;

namespace Isolation.Images.Tests;

/// <summary>Trees against GNU tar, which knows all that an archive can say.</summary>
public sealed class RoundTripTests
{
    private static readonly bool IsRoot = Syscall.Invoke(SystemCall.geteuid) == 0;

    public static TheoryData<string> Formats => ["ustar", "gnu", "posix", "oldgnu"];

    [Theory, MemberData(nameof(Formats))]
    public async Task What_GNU_tar_wrote_is_unpacked_as_it_was(string format)
    {
        using LayerDirectory from = new(), to = new();
        Fill(from, longNames: format != "ustar", fractions: format == "posix", attributes: format == "posix");
        byte[] archive = LayerDirectory.Run("tar", ["--sort=name", $"--format={format}", .. format == "posix" ? (string[])["--xattrs", "--xattrs-include=*"] : [], .. format == "ustar" ? (string[])[] : ["--sparse"], "--numeric-owner", "-C", from.Path, "-cf", "-", "."]);

        UnpackedLayer layer = await to.UnpackAsync(archive);

        Assert.Equal(Digest.Of(archive), layer.DiffId);
        Assert.Equal(layer.DiffId, layer.Blob);
        Assert.Equal(from.Listing(), to.Listing());
    }

    [Theory]
    [InlineData(LayerCompression.None)]
    [InlineData(LayerCompression.Gzip)]
    [InlineData(LayerCompression.Zstd)]
    internal async Task What_was_packed_is_unpacked_as_it_was_and_packed_as_before(LayerCompression compression)
    {
        using LayerDirectory from = new(), to = new();
        Fill(from, longNames: true, fractions: true, attributes: true);
        PackOptions options = new() { Compression = compression, IncludeTop = true };
        (PackedLayer packed, byte[] blob) = await from.PackAsync(options);

        UnpackedLayer unpacked = await to.UnpackAsync(blob, expected: new(packed.Blob, packed.BlobSize, null, packed.DiffId));

        Assert.Equal(from.Listing(), to.Listing());
        Assert.Equal((packed.Blob, packed.BlobSize, packed.DiffId, packed.TarSize, packed.Entries), (unpacked.Blob, unpacked.BlobSize, unpacked.DiffId, unpacked.TarSize, unpacked.Entries));
        (PackedLayer again, byte[] same) = await to.PackAsync(options);
        Assert.Equal(packed, again);
        Assert.Equal(blob, same);
    }

    [Fact]
    public async Task What_was_packed_GNU_tar_reads()
    {
        using LayerDirectory from = new(), to = new();
        Fill(from, longNames: true, fractions: true, attributes: true);
        (_, byte[] archive) = await from.PackAsync(new() { Compression = LayerCompression.None, IncludeTop = true });
        string file = to.Outside + ".tar";
        File.WriteAllBytes(file, archive);

        LayerDirectory.Run("tar", "--xattrs", "--xattrs-include=*", "--numeric-owner", "-p", "-C", to.Path, "-xf", file);

        Assert.Equal(from.Listing(), to.Listing());
    }

    [Fact]
    public async Task A_blob_of_several_parts_is_one()
    {
        using LayerDirectory from = new(), to = new();
        byte[] archive = LayerDirectory.Archive(LayerDirectory.FileOf("a", new string('a', 5000)), LayerDirectory.FileOf("b", "b"));
        using MemoryStream blob = new();
        foreach (Range part in new Range[] { ..1000, 1000..3000, 3000.. })
        {
            using GZipStream gzip = new(blob, CompressionLevel.Fastest, leaveOpen: true);
            gzip.Write(archive.AsSpan(part));
        }

        UnpackedLayer layer = await to.UnpackAsync(blob.ToArray());

        Assert.Equal(Digest.Of(archive), layer.DiffId);
        Assert.Equal("b", File.ReadAllText(to["b"]));
    }

    [Fact]
    public async Task Names_need_not_be_text()
    {
        using LayerDirectory from = new(), to = new();
        using (FileDescriptor directory = from.Open())
        using (FileDescriptor file = new((int)Syscall.Check(FileEntries.Open(directory, [0xff, 0xfe, (byte)'x', 0], Abi.O_CREAT | Abi.O_WRONLY, 0x1A4), "open")))
            Descriptors.WriteAll(file, "content"u8);

        (_, byte[] blob) = await from.PackAsync(new() { Compression = LayerCompression.None, IncludeTop = true });
        await to.UnpackAsync(blob);

        Assert.Equal(from.Listing(), to.Listing());
    }

    [Fact]
    public async Task An_unprivileged_user_keeps_owners_modes_and_devices_beside_the_files()
    {
        using LayerDirectory to = new();
        byte[] archive = LayerDirectory.Archive(
            (new TarEntry { Name = "d/"u8.ToArray(), Type = TarType.Directory, Mode = 0x100, Uid = 3, Gid = 4 }, ""),
            (new TarEntry { Name = "d/null"u8.ToArray(), Type = TarType.CharacterDevice, Mode = 0x1B6, Device = (1, 3), Gid = 300 }, ""),
            (new TarEntry { Name = "d/secret"u8.ToArray(), Type = TarType.Regular, Mode = 0, Uid = 70000, Gid = 0, Modified = (5, 6) }, "content"),
            (new TarEntry { Name = "plain"u8.ToArray(), Type = TarType.Regular, Mode = 0x9A4 }, ""));

        await to.UnpackAsync(archive, new() { Privileged = false });
        (_, byte[] again) = await to.PackAsync(new() { Compression = LayerCompression.None, Privileged = false });

        Assert.Equal(archive, again);
        Assert.True(File.Exists(to["d/null"]) && new FileInfo(to["d/null"]).Length == 0);
        Assert.Equal("content", File.ReadAllText(to["d/secret"]));
    }

    [Fact]
    public async Task A_directory_hands_down_neither_its_group_nor_its_access_list()
    {
        byte[] archive = LayerDirectory.Archive(LayerDirectory.FileOf("implied/file", "x"), LayerDirectory.DirectoryOf("d"), LayerDirectory.FileOf("d/file", "y"), LayerDirectory.LinkOf("d/link", "x"));
        using LayerDirectory plain = new(), handing = new();
        using (FileDescriptor top = handing.Open())
        {
            // Version 2; user::rwx, user:1234:rwx, group::rwx, mask::rwx, other::rwx (linux/posix_acl_xattr.h).
            byte[] list = Convert.FromHexString("02000000" + "01000700FFFFFFFF" + "02000700D2040000" + "04000700FFFFFFFF" + "10000700FFFFFFFF" + "20000700FFFFFFFF");
            nint result = FileEntries.SetAttribute(top, "system.posix_acl_default\0"u8, list);
            if (Syscall.Is(result, Errno.EOPNOTSUPP)) Assert.Skip("The file system of the temporary directory knows no access lists.");
            Syscall.Check(result, "setxattr");
            Syscall.Check(FileEntries.SetAttribute(top, "system.posix_acl_access\0"u8, list), "setxattr");
            if (IsRoot) Syscall.Check(FileEntries.ChangeOwner(top, 0, 1234), "chown");
            Syscall.Check(FileEntries.ChangeMode(top, 0x5FF), "chmod"); // 2777
        }

        await plain.UnpackAsync(archive);
        await handing.UnpackAsync(archive);

        Assert.Equal(Named(plain), Named(handing));

        // When an implied directory and the top were made nobody says.
        static string[] Named(LayerDirectory tree) => [.. tree.Listing().Select(line => line.StartsWith(". ", StringComparison.Ordinal) || line.StartsWith("implied/. ", StringComparison.Ordinal) ? System.Text.RegularExpressions.Regex.Replace(line, @" \(\d+, \d+\)", "", System.Text.RegularExpressions.RegexOptions.None, TimeSpan.FromSeconds(1)) : line)];
    }

    /// <summary>Of everything something, as far as the user may make it.</summary>
    private static void Fill(LayerDirectory tree, bool longNames, bool fractions, bool attributes)
    {
        using FileDescriptor top = tree.Open();
        Directory.CreateDirectory(tree["etc/empty"]);
        File.WriteAllText(tree["etc/passwd"], "root:x:0:0::/root:/bin/sh\n");
        File.WriteAllBytes(tree["large"], [.. Enumerable.Range(0, 700_000).Select(i => (byte)(i * 7))]);
        File.WriteAllText(tree["empty"], "");
        File.CreateSymbolicLink(tree["link"], "../../outside");
        File.CreateSymbolicLink(tree["etc/loop"], "loop");
        Syscall.Check(FileEntries.AddName(top, "large\0"u8, top, "again\0"u8), "linkat");
        Syscall.Check(FileEntries.MakeNode(top, "fifo\0"u8, Abi.S_IFIFO | 0x180), "mknod");
        if (longNames)
        {
            string deep = string.Join('/', Enumerable.Repeat("a-directory-with-a-name", 12));
            Directory.CreateDirectory(tree[deep]);
            File.WriteAllText(tree[$"{deep}/{new string('n', 250)}"], "deep");
            File.CreateSymbolicLink(tree["far"], deep + "/" + new string('t', 200));
        }

        if (longNames)
        {
            using FileDescriptor sparse = FileDescriptor.Open(tree["sparse"], Abi.O_CREAT | Abi.O_WRONLY, 0x1A4);
            for (int i = 0; i < 30; i++)
            {
                FileEntries.Seek(sparse, i * 300_000L);
                Descriptors.WriteAll(sparse, new byte[5000].Select(_ => (byte)i).ToArray());
            }

            FileEntries.SetSize(sparse, 20_000_000);
        }

        Syscall.Check(FileEntries.ChangeModeFollowing(top, "etc/passwd\0"u8, 0x9A4), "chmod"); // 4644
        Syscall.Check(FileEntries.ChangeModeFollowing(top, "etc/empty\0"u8, 0x3FF), "chmod");
        if (IsRoot)
        {
            Syscall.Check(FileEntries.MakeNode(top, "null\0"u8, Abi.S_IFCHR | 0x1B6, (1, 3)), "mknod");
            Syscall.Check(FileEntries.MakeNode(top, "disk\0"u8, Abi.S_IFBLK | 0x1B0, (259, 70000)), "mknod");
            Syscall.Check(FileEntries.ChangeOwner(top, "empty\0"u8, 1234, longNames ? 3_000_000_000 : 5), "chown");
            Syscall.Check(FileEntries.ChangeOwner(top, "link\0"u8, 7, 8), "chown");
            Syscall.Check(FileEntries.ChangeOwner(top, "etc\0"u8, 9, 10), "chown");
        }

        if (attributes)
        {
            using FileDescriptor file = FileDescriptor.Open(tree["large"], Abi.O_RDONLY), directory = FileDescriptor.Open(tree["etc"], Abi.O_RDONLY);
            Syscall.Check(FileEntries.SetAttribute(file, "user.binary\0"u8, [0, 1, 255, (byte)'=', (byte)'\n']), "setxattr");
            Syscall.Check(FileEntries.SetAttribute(directory, "user.of-directory\0"u8, "x"u8), "setxattr");
        }

        if (attributes && IsRoot) // who is not root is given neither
        {
            using FileDescriptor file = FileDescriptor.Open(tree["large"], Abi.O_RDONLY);
            Syscall.Check(FileEntries.SetAttribute(file, "security.capability\0"u8, [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), "setxattr");
            nint list = FileEntries.SetAttribute(file, "system.posix_acl_access\0"u8, Convert.FromHexString("02000000" + "01000600FFFFFFFF" + "02000400D2040000" + "04000400FFFFFFFF" + "10000400FFFFFFFF" + "20000400FFFFFFFF"));
            if (!Syscall.Is(list, Errno.EOPNOTSUPP)) Syscall.Check(list, "setxattr"); // the file system may know no access lists
        }

        uint nanoseconds = fractions ? 123456789u : 0;
        foreach (string name in (string[])["etc/passwd", "large", "link", "etc/empty", "fifo", "etc"])
            Syscall.Check(FileEntries.ChangeTimes(top, System.Text.Encoding.UTF8.GetBytes(name + "\0"), null, (1_600_000_000 + name.Length, nanoseconds)), "utimensat");
        foreach (string name in Directory.GetFileSystemEntries(tree.Path, "*", SearchOption.AllDirectories).Where(_ => !fractions).OrderByDescending(name => name.Length))
            Syscall.Check(FileEntries.ChangeTimes(top, System.Text.Encoding.UTF8.GetBytes(name + "\0"), null, (1_500_000_000, 0)), "utimensat");
        Syscall.Check(FileEntries.ChangeTimes(top, ".\0"u8, null, (1_400_000_000, nanoseconds)), "utimensat");
    }
}
