using System.Globalization;
using System.IO.Compression;
using Isolation.Linux;
using static Isolation.Images.Tests.LayerDirectory;

namespace Isolation.Images.Tests;

/// <summary>
/// Archives of GNU tar and of this library, changed at random: each is unpacked or refused with an image exception, and nothing
/// outside is touched. <c>ISOLATION_FUZZ_ROUNDS</c> and <c>ISOLATION_FUZZ_SEED</c> say how many and which; a failure names its seed.
/// </summary>
public sealed class FuzzedLayerTests
{
    private static readonly UnpackOptions Small = new() { Bounds = LayerBounds.Default with { Bytes = 4 << 20, Entries = 2000 } };

    [Fact]
    public async Task An_archive_changed_at_random_is_unpacked_or_refused()
    {
        int rounds = Setting("ISOLATION_FUZZ_ROUNDS", 200), first = Setting("ISOLATION_FUZZ_SEED", 1);
        byte[][] corpus = Corpus();
        for (int seed = first; seed < first + rounds; seed++)
        {
            byte[] archive = new ArchiveMutator(seed).Mutate(corpus[seed % corpus.Length]);
            await UnpackAsync(seed % 7 == 0 ? Compressed(archive, seed) : archive, seed);
        }
    }

    private static async Task UnpackAsync(byte[] blob, int seed)
    {
        using LayerDirectory to = new();
        try
        {
            await to.UnpackAsync(blob, Small);
        }
        catch (ImageException)
        {
            // Named, and nothing else happened.
        }
        catch (Exception exception)
        {
            Assert.Fail($"seed {seed}: {exception}");
        }

        Assert.True(File.ReadAllText(to.Outside) == "outside", $"seed {seed}: what is outside was written");
        Assert.Equal(["outside", "tree"], Directory.GetFileSystemEntries(Path.GetDirectoryName(to.Outside)!).Select(Path.GetFileName).Order());
        using FileDescriptor outside = FileDescriptor.Open(to.Outside, Abi.O_RDONLY);
        Assert.Equal(0u, FileStatus.Of(outside).Mode & 0xE49); // nor its mode, by way of a link
    }

    private static byte[][] Corpus()
    {
        using LayerDirectory tree = new();
        Directory.CreateDirectory(tree["a/b"]);
        File.WriteAllText(tree["a/b/file"], "content");
        File.WriteAllText(tree["a/" + new string('n', 120)], "long");
        File.CreateSymbolicLink(tree["link"], "..");
        File.CreateSymbolicLink(tree["far"], new string('t', 150));
        using (FileDescriptor top = tree.Open(), file = FileDescriptor.Open(tree["sparse"], Abi.O_CREAT | Abi.O_WRONLY, 0x1A4))
        {
            Syscall.Check(FileEntries.AddName(top, "far\0"u8, top, "again\0"u8), "linkat");
            Syscall.Check(FileEntries.MakeNode(top, "fifo\0"u8, Abi.S_IFIFO | 0x180), "mknod");
            for (int i = 0; i < 6; i++)
            {
                FileEntries.Seek(file, i * 100_000L);
                Descriptors.WriteAll(file, "data"u8);
            }

            FileEntries.SetSize(file, 1_000_000);
            FileEntries.SetAttribute(file, "user.name\0"u8, "value"u8);
        }

        List<byte[]> corpus = [.. ((string[][])[["--format=gnu"], ["--format=oldgnu"], ["--format=posix", "--xattrs"], ["--format=posix", "--sparse-version=0.0"], ["--format=posix", "--sparse-version=0.1"]])
            .Select(options => Run("tar", [.. options, "--sparse", "-C", tree.Path, "-cf", "-", "."]))];
        corpus.Add(Archive(DirectoryOf("a"), FileOf("a/.wh.b"), FileOf("a/.wh..wh..opq"), LinkOf("link", ".."), FileOf("link/a", "x"), HardLinkOf("hard", "a/.wh.b"), FileOf("b", "y"), HardLinkOf("c", "b"), DirectoryOf("link")));
        return [.. corpus];
    }

    /// <summary>With a few bytes changed behind the first ones, which say what it is.</summary>
    private static byte[] Compressed(byte[] archive, int seed)
    {
        using MemoryStream stream = new();
        using (Stream target = seed % 2 == 0 ? new GZipStream(stream, CompressionLevel.Fastest, leaveOpen: true) : new ZstdSharp.CompressionStream(stream, leaveOpen: true)) target.Write(archive);
        byte[] blob = stream.ToArray();
        Random random = new(seed);
        for (int i = random.Next(3); i > 0; i--) blob[random.Next(4, blob.Length)] ^= (byte)random.Next(1, 256);
        return blob;
    }

    private static int Setting(string name, int usual) => int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out int value) ? value : usual;
}
