using System.IO.Compression;
using Isolation.Linux;
using Isolation.UnionFs;
using static Isolation.Images.Tests.LayerDirectory;

namespace Isolation.Images.Tests;

/// <summary>Archives of somebody who means harm, and damaged ones.</summary>
public sealed class HostileLayerTests
{
    [Theory]
    [InlineData("../outside")]
    [InlineData("a/../../outside")]
    [InlineData("..")]
    [InlineData("/../outside")]
    [InlineData(".wh...")]
    [InlineData(".wh..")]
    [InlineData(".wh.")]
    public async Task A_name_that_leads_out_is_refused(string name)
    {
        using LayerDirectory to = new();

        ImageException exception = await Assert.ThrowsAsync<ImageException>(() => to.UnpackAsync(Archive(DirectoryOf("a"), FileOf(name, "evil"))));

        Assert.Equal(ImageErrorReason.UnsafeEntry, exception.Reason);
        Assert.Equal("outside", File.ReadAllText(to.Outside));
    }

    [Fact]
    public async Task An_absolute_name_is_one_in_the_directory()
    {
        using LayerDirectory to = new();

        await to.UnpackAsync(Archive(FileOf("///a//./b", "x")));

        Assert.Equal("x", File.ReadAllText(to["a/b"]));
    }

    [Theory]
    [InlineData("..")]
    [InlineData("/")]
    [InlineData("../../../../..")]
    [InlineData("second")]
    public async Task Links_do_not_lead_out_whatever_they_say(string target)
    {
        using LayerDirectory to = new();
        byte[] archive = Archive(LinkOf("second", ".."), LinkOf("link", target), FileOf("link/outside", "evil"), HardLinkOf("hard", "link/outside"));

        try
        {
            await to.UnpackAsync(archive);
        }
        catch (ImageException exception)
        {
            Assert.Equal(ImageErrorReason.InvalidContent, exception.Reason);
        }

        Assert.Equal("outside", File.ReadAllText(to.Outside));
    }

    [Fact]
    public async Task A_file_in_place_of_a_link_is_a_file()
    {
        using LayerDirectory to = new();

        await to.UnpackAsync(Archive(LinkOf("a", "../outside"), FileOf("a", "evil"), LinkOf("b", ".."), DirectoryOf("b"), FileOf("b/outside", "evil")));

        Assert.Equal("outside", File.ReadAllText(to.Outside));
        Assert.Equal("evil", File.ReadAllText(to["a"]));
        Assert.Equal("evil", File.ReadAllText(to["b/outside"]));
    }

    [Fact]
    public async Task A_link_in_place_of_a_directory_that_was_open_is_a_link()
    {
        using LayerDirectory to = new();

        await to.UnpackAsync(Archive(FileOf("a/b/c", "1"), LinkOf("a/b", "/x"), DirectoryOf("x"), FileOf("a/b/outside", "2")));

        Assert.Equal("2", File.ReadAllText(to["x/outside"]));
        Assert.Equal("/x", new FileInfo(to["a/b"]).LinkTarget);
    }

    [Theory]
    [InlineData("../outside")]
    [InlineData("missing")]
    [InlineData("directory")]
    [InlineData("")]
    [InlineData("link/outside")]
    [InlineData("gone")]
    public async Task A_hard_link_is_of_a_file_of_the_layer(string target)
    {
        using LayerDirectory to = new();

        ImageException exception = await Assert.ThrowsAsync<ImageException>(() => to.UnpackAsync(Archive(DirectoryOf("directory"), LinkOf("link", ".."), FileOf(".wh.gone"), HardLinkOf("x", target))));

        Assert.Contains(exception.Reason, (ImageErrorReason[])[ImageErrorReason.InvalidContent, ImageErrorReason.UnsafeEntry]);
        Assert.Equal("outside", File.ReadAllText(to.Outside));
    }

    [Fact]
    public async Task Whiteouts_are_overlayfs_own_and_come_back()
    {
        using LayerDirectory to = new();
        byte[] archive = Archive(DirectoryOf("d/"), FileOf("d/.wh..wh..opq"), FileOf("d/.wh.gone"), DirectoryOf("again/"), FileOf("again/.wh..wh..opq"), FileOf("x", "x"));
        byte[] mixed = Archive(FileOf("d/.wh.gone"), DirectoryOf("d"), FileOf("d/.wh..wh..opq"), FileOf(".wh.again"), DirectoryOf("again"), FileOf(".wh.x"), FileOf("x", "x"), FileOf(".wh.x"), FileOf(".wh..wh.plnk"));

        await to.UnpackAsync(mixed);
        using (FileDescriptor d = FileDescriptor.Open(to["d"], Abi.O_RDONLY), again = FileDescriptor.Open(to["again"], Abi.O_RDONLY))
        {
            Assert.Equal(0, FileEntries.Status(d, "gone\0"u8, out FileStatus gone));
            Assert.True(OverlayForm.IsWhiteout(gone) && OverlayForm.IsOpaque(d) && OverlayForm.IsOpaque(again));
        }

        Assert.Equal("x", File.ReadAllText(to["x"]));
        (_, byte[] packed) = await to.PackAsync();
        using LayerDirectory back = new();
        await back.UnpackAsync(archive);
        (_, byte[] expected) = await back.PackAsync();
        Assert.Equal(Names(expected), Names(packed));
        Assert.Contains("again/.wh..wh..opq", Names(packed));
    }

    [Theory]
    [InlineData("trusted.overlay.opaque")]
    [InlineData("user.overlay.redirect")]
    [InlineData("user.rootlesscontainers")]
    public async Task An_attribute_that_would_pretend_is_not_set(string name)
    {
        using LayerDirectory to = new();
        (TarEntry entry, _) = DirectoryOf("d");
        entry.Attributes.Add((System.Text.Encoding.UTF8.GetBytes(name), "y"u8.ToArray()));

        await to.UnpackAsync(Archive((entry, "")));

        using FileDescriptor d = FileDescriptor.Open(to["d"], Abi.O_RDONLY);
        Assert.True(Syscall.Is(FileEntries.GetAttribute(d, System.Text.Encoding.UTF8.GetBytes(name + "\0"), new byte[10]), Errno.ENODATA));
    }

    [Fact]
    public async Task A_device_that_would_be_a_whiteout_is_refused()
    {
        using LayerDirectory to = new();

        ImageException exception = await Assert.ThrowsAsync<ImageException>(() => to.UnpackAsync(Archive((new TarEntry { Name = "x"u8.ToArray(), Type = TarType.CharacterDevice }, ""))));

        Assert.Equal(ImageErrorReason.UnsafeEntry, exception.Reason);
    }

    [Fact]
    public async Task Bombs_are_refused()
    {
        using LayerDirectory to = new();
        TarEntry sparse = new() { Name = "sparse"u8.ToArray(), Type = TarType.Regular, Size = 1L << 40, Data = [] };
        byte[] zeros = Archive(FileOf("zeros", new string('\0', 4 << 20)));
        using MemoryStream compressed = new();
        using (GZipStream gzip = new(compressed, CompressionLevel.Optimal, leaveOpen: true)) gzip.Write(zeros);

        await RefusedAsync(Archive((sparse, "")), LayerBounds.Default);
        await RefusedAsync(zeros, LayerBounds.Default with { Bytes = 1 << 20 });
        await RefusedAsync(compressed.ToArray(), LayerBounds.Default with { RatioFrom = 1 << 20 });
        await RefusedAsync(Archive([.. Enumerable.Range(0, 20).Select(i => FileOf($"{i}"))]), LayerBounds.Default with { Entries = 10 });
        await RefusedAsync(Archive(FileOf(string.Join('/', Enumerable.Repeat("d", 300)))), LayerBounds.Default);

        async Task RefusedAsync(byte[] blob, LayerBounds bounds) =>
            Assert.Equal(ImageErrorReason.TooLarge, (await Assert.ThrowsAsync<ImageException>(() => to.UnpackAsync(blob, new() { Bounds = bounds }))).Reason);
    }

    [Fact]
    public async Task A_thousand_to_one_is_refused_whatever_it_becomes()
    {
        using LayerDirectory to = new();
        using MemoryStream compressed = new();
        await using (GZipStream gzip = new(compressed, CompressionLevel.Optimal, leaveOpen: true))
        {
            TarWriter writer = new(gzip);
            writer.Begin(new TarEntry { Name = "zeros"u8.ToArray(), Type = TarType.Regular, Size = 300 << 20, StoredSize = 300 << 20 });
            byte[] zeros = new byte[1 << 20];
            for (int i = 0; i < 300; i++) writer.Write(zeros);
            writer.Finish();
        }

        ImageException exception = await Assert.ThrowsAsync<ImageException>(() => to.UnpackAsync(compressed.ToArray()));

        Assert.Equal(ImageErrorReason.TooLarge, exception.Reason);
        Assert.Contains("times as many", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("entries")]
    [InlineData("headers")]
    [InlineData("global headers")]
    [InlineData("attributes")]
    [InlineData("names")]
    public async Task An_archive_without_end_is_refused_early(string of)
    {
        using LayerDirectory to = new();
        byte[] endless = of switch
        {
            "entries" => Archive(DirectoryOf("d"))[..512],
            "headers" => Extended('x', "1030 comment=" + new string('c', 1016) + "\n"),
            "global headers" => Extended('g', "1030 comment=" + new string('c', 1016) + "\n"),
            "attributes" => Extended('x', string.Concat(Enumerable.Range(10000, 2000).Select(i => $"31 SCHILY.xattr.user.{i}=bcd\n"))),
            _ => Extended('L', new string('n', 5000)),
        };
        using RepeatedStream stream = new(endless);
        using FileDescriptor directory = to.Open();

        ImageException exception = await Assert.ThrowsAsync<ImageException>(() => LayerUnpacker.UnpackAsync(stream, new(), directory, new() { Bounds = LayerBounds.Default with { Entries = 1000 } }, TestContext.Current.CancellationToken));

        Assert.Equal(ImageErrorReason.TooLarge, exception.Reason);
        Assert.InRange(stream.Position, 1, 1L << 30);
    }

    [Theory]
    [InlineData(TarType.SymbolicLink)]
    [InlineData(TarType.Regular)]
    [InlineData(TarType.Fifo)]
    internal async Task The_top_is_a_directory(TarType type)
    {
        using LayerDirectory to = new();

        foreach (string name in (string[])["./", ".", "/"])
        {
            TarEntry top = new() { Name = System.Text.Encoding.UTF8.GetBytes(name), Type = type, LinkTarget = "../outside"u8.ToArray(), Mode = 0x1FF };
            if (type == TarType.Regular && name != ".") continue; // a slash at its end makes it a directory
            Assert.Equal(ImageErrorReason.UnsafeEntry, (await Assert.ThrowsAsync<ImageException>(() => to.UnpackAsync(Archive((top, ""))))).Reason);
        }

        Assert.Null(new FileInfo(to.Path).LinkTarget);
    }

    [Fact]
    public async Task Mode_owner_and_time_are_never_set_by_way_of_a_link()
    {
        using LayerDirectory to = new();
        using FileDescriptor outside = FileDescriptor.Open(to.Outside, Abi.O_RDONLY);
        FileStatus before = FileStatus.Of(outside);
        (TarEntry link, _) = LinkOf("link", to.Outside);
        (link.Uid, link.Gid, link.Mode, link.Modified) = (7, 8, 0xFFF, (1, 2));
        (TarEntry hard, _) = HardLinkOf("hard", "link");
        (hard.Uid, hard.Mode, hard.Modified) = (9, 0xFFF, (3, 4));

        await to.UnpackAsync(Archive((link, ""), (hard, "")));

        FileStatus after = FileStatus.Of(outside);
        Assert.Equal((before.Mode, before.Uid, before.Gid, before.Modified), (after.Mode, after.Uid, after.Gid, after.Modified));
        Assert.Equal(to.Outside, new FileInfo(to["hard"]).LinkTarget);
    }

    [Fact]
    public async Task What_is_not_what_was_expected_is_told()
    {
        using LayerDirectory to = new();
        byte[] archive = Archive(FileOf("a", "a"));
        Digest other = Digest.Of("x"u8);

        Assert.Equal(ImageErrorReason.DigestMismatch, await ReasonAsync(archive, new(Blob: other)));
        Assert.Equal(ImageErrorReason.DigestMismatch, await ReasonAsync(archive, new(DiffId: other)));
        Assert.Equal(ImageErrorReason.SizeMismatch, await ReasonAsync(archive, new(Size: archive.Length + 1)));
        Assert.Equal(ImageErrorReason.SizeMismatch, await ReasonAsync(archive[..700], new(Digest.Of(archive), archive.Length)));
        Assert.Equal(ImageErrorReason.DigestMismatch, await ReasonAsync([.. archive[..100], 1, .. archive[101..]], new(Digest.Of(archive), archive.Length)));
        Assert.Equal(ImageErrorReason.NotSupported, await ReasonAsync("BZh91AY&SY"u8.ToArray(), new()));

        async Task<ImageErrorReason> ReasonAsync(byte[] blob, LayerExpectation expected) => (await Assert.ThrowsAsync<ImageException>(() => to.UnpackAsync(blob, expected: expected))).Reason;
    }

    [Theory]
    [InlineData(LayerCompression.None)]
    [InlineData(LayerCompression.Gzip)]
    [InlineData(LayerCompression.Zstd)]
    internal async Task Cut_off_anywhere_and_changed_anywhere_it_is_an_image_exception_or_unpacked(LayerCompression compression)
    {
        using LayerDirectory from = new();
        File.WriteAllText(from["file"], "content");
        File.CreateSymbolicLink(from["link"], "../outside");
        Directory.CreateDirectory(from["directory"]);
        (_, byte[] blob) = await from.PackAsync(new() { Compression = compression });
        int step = compression == LayerCompression.None ? 29 : 1;
        for (int i = 0; i < blob.Length; i += step)
        {
            byte[] changed = [.. blob];
            changed[i] ^= 0x41;
            foreach (byte[] damaged in (byte[][])[blob[..i], changed])
            {
                using LayerDirectory to = new();
                try
                {
                    await to.UnpackAsync(damaged);
                }
                catch (ImageException)
                {
                    // Named, and nothing else happened.
                }

                Assert.Equal("outside", File.ReadAllText(to.Outside));
            }
        }
    }

    /// <summary>An extended header in whole blocks.</summary>
    private static byte[] Extended(char type, string content)
    {
        byte[] archive = Archive(FileOf("extended", content));
        archive[156] = (byte)type;
        archive.AsSpan(148, 8).Fill((byte)' ');
        System.Text.Encoding.ASCII.GetBytes($"{Convert.ToString(archive.Take(512).Sum(value => value), 8).PadLeft(6, '0')}\0").CopyTo(archive, 148);
        return archive[..(512 + (content.Length + 511) / 512 * 512)];
    }

    private static string[] Names(byte[] archive)
    {
        List<string> names = [];
        TarReader reader = new(new MemoryStream(archive));
        while (reader.Next() is { } entry) names.Add(entry.ToString());
        return [.. names];
    }
}
