using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;

namespace Isolation.Benchmarks;

/// <summary>What the parts of unpacking cost that write no file: decompressors and digests, each alone, over the same layer.</summary>
internal static class DecompressionMode
{
    internal static async Task RunAsync(Options options, Report report)
    {
        report.Heading("Decompression", "The lowest layer of Debian, from memory to nowhere, each on one thread.");
        string cache = Path.Join(Machine.RepositoryRoot, "benchmarks/.cache/debian"), gzipped = Path.Join(cache, "layer-1.tar.gz");
        try
        {
            await Tools.RunCapturedAsync(Path.Join(Machine.RepositoryRoot, "benchmarks/debian.sh"), cache);
        }
        catch (InvalidOperationException exception)
        {
            report.Line($"Not measured: {exception.Message.ReplaceLineEndings(" ")}");
            return;
        }

        byte[] gzip = await File.ReadAllBytesAsync(gzipped), archive = await File.ReadAllBytesAsync(Path.ChangeExtension(gzipped, null));
        using MemoryStream compressed = new();
        await using (ZstdSharp.CompressionStream zstd = new(compressed, leaveOpen: true)) await zstd.WriteAsync(archive);
        byte[] zstandard = compressed.ToArray();
        Entry tool = new("gzip -dc", () => Tools.RunCapturedAsync("sh", "-c", $"gzip -dc '{gzipped}' > /dev/null"));
        Entry[] entries =
        [
            tool,
            new("**GZipStream of .NET (zlib-ng)**", () => DrainAsync(new GZipStream(new MemoryStream(gzip), CompressionMode.Decompress))),
            new("SharpZipLib's GZipInputStream", () => DrainAsync(new ICSharpCode.SharpZipLib.GZip.GZipInputStream(new MemoryStream(gzip), 128 << 10))),
            new("**ZstdSharp** (the same, compressed by it)", () => DrainAsync(new ZstdSharp.DecompressionStream(new MemoryStream(zstandard)))),
            new("SHA-256 of the archive (OpenSSL)", () => Task.Run(() => SHA256.HashData(archive))),
            new("SHA-256 of the blob (OpenSSL)", () => Task.Run(() => SHA256.HashData(gzip))),
        ];
        await Interleaved.RunAsync(entries, options.Warmup ?? 1, options.Rounds ?? 10);
        report.Line(string.Create(CultureInfo.InvariantCulture, $"{archive.Length >> 20} MiB, with gzip {gzip.Length >> 20}, with zstd {zstandard.Length >> 20}."));
        report.Line();
        ImagesMode.Table(report, entries, tool);
    }

    private static Task DrainAsync(Stream stream) => Task.Run(() =>
    {
        using (stream)
        {
            byte[] buffer = new byte[128 << 10];
            while (stream.Read(buffer) > 0)
            {
            }
        }
    });
}
