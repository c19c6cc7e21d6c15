using System.IO.Compression;
using System.Security.Cryptography;
using Isolation.Linux;

namespace Isolation.Images;

/// <summary>
/// Unpacks a layer from any stream in one pass: its digest is taken while it comes, and that of its archive while it is
/// decompressed, on one thread; another writes the files. Memory does not grow with the layer.
/// </summary>
internal static class LayerUnpacker
{
    /// <param name="blob">Read to its end, and not disposed.</param>
    /// <param name="expected">What it must be.</param>
    /// <param name="directory">Empty; after a failure the caller removes it.</param>
    /// <param name="options">How.</param>
    /// <param name="cancellationToken">Ends it; a part has been written.</param>
    /// <exception cref="ImageException">It is damaged, unsafe, too large, not what was expected, or cannot be written.</exception>
    internal static async Task<UnpackedLayer> UnpackAsync(Stream blob, LayerExpectation expected, FileDescriptor directory, UnpackOptions options, CancellationToken cancellationToken = default)
    {
        using IncrementalHash blobHash = (expected.Blob ?? Digest.Empty).StartHash(), archiveHash = (expected.DiffId ?? Digest.Empty).StartHash();
        HashingStream source = new(blob, blobHash, options.Progress);
        ChunkStream chunks = new();
        using CancellationTokenSource stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using TreeWriter writer = new(directory, options);
        Task<long> reading = Task.Run(() => DecompressAsync(source, archiveHash, chunks, options.Bounds, stopping.Token), CancellationToken.None);
        try
        {
            // Reading it blocks, so the thread is one of its own.
            await Task.Factory.StartNew(() => Write(chunks, writer, stopping.Token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).ConfigureAwait(false);
            long size = await reading.ConfigureAwait(false);
            UnpackedLayer layer = new((expected.Blob ?? Digest.Empty).Finish(blobHash), source.Count, (expected.DiffId ?? Digest.Empty).Finish(archiveHash), size, writer.Entries, []);
            Check(layer, expected);
            writer.Finish();
            return layer with { Undescribed = writer.Undescribed };
        }
        catch (Exception exception)
        {
            await stopping.CancelAsync().ConfigureAwait(false);
            await ((Task)reading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
            if (exception is ImageException { Reason: ImageErrorReason.InvalidContent } && expected.Blob is { } wanted) await CheckAllAsync(source, blobHash, wanted, expected.Size, exception, cancellationToken).ConfigureAwait(false);
            throw;
        }
        finally
        {
            await chunks.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>The archive in a blob.</summary>
    /// <exception cref="ImageException">It is compressed in a way that is not known.</exception>
    internal static async ValueTask<Stream> OpenArchiveAsync(HashingStream blob, CancellationToken cancellationToken)
    {
        ReadOnlyMemory<byte> start = await blob.PeekAsync(6, cancellationToken).ConfigureAwait(false);
        return start.Span switch
        {
            [0x1f, 0x8b, ..] => new GZipStream(blob, CompressionMode.Decompress, leaveOpen: true),
            [0x28, 0xb5, 0x2f, 0xfd, ..] or [>= 0x50 and <= 0x5f, 0x2a, 0x4d, 0x18, ..] => new ZstdSharp.DecompressionStream(blob, leaveOpen: true),
            [(byte)'B', (byte)'Z', (byte)'h', ..] or [0xfd, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0] =>
                throw new ImageException(ImageErrorReason.NotSupported, "The layer is compressed with bzip2 or xz, which no image may be (image-spec, layer.md)", remedy: "make it anew with gzip or zstd"),
            _ => blob,
        };
    }

    private static void Write(ChunkStream chunks, TreeWriter writer, CancellationToken cancellationToken)
    {
        TarReader archive = new(chunks);
        while (archive.Next() is { } entry)
        {
            cancellationToken.ThrowIfCancellationRequested();
            writer.Write(entry, archive);
        }

        // What fills the archive up to its last record is part of its digest.
        Span<byte> rest = stackalloc byte[4096];
        while (chunks.Read(rest) > 0) cancellationToken.ThrowIfCancellationRequested();
    }

    private static async Task<long> DecompressAsync(HashingStream source, IncrementalHash hash, ChunkStream chunks, LayerBounds bounds, CancellationToken cancellationToken)
    {
        byte[]? chunk = null;
        try
        {
            long size = 0;
            Stream archive = await OpenArchiveAsync(source, cancellationToken).ConfigureAwait(false);
            await using (archive.ConfigureAwait(false))
            {
                while (true)
                {
                    chunk = ChunkStream.Rent();
                    int count = await archive.ReadAtLeastAsync(chunk.AsMemory(0, ChunkStream.ChunkSize), ChunkStream.ChunkSize, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
                    if (count == 0) break;
                    size += count;
                    if (size > bounds.Bytes) throw new ImageException(ImageErrorReason.TooLarge, $"The layer has more than {bounds.Bytes} bytes");
                    if (size > bounds.RatioFrom && size / bounds.Ratio > source.Count) throw new ImageException(ImageErrorReason.TooLarge, $"The layer becomes {size} bytes from {source.Count}, more than {bounds.Ratio} times as many");
                    hash.AppendData(chunk, 0, count);
                    await chunks.PutAsync(chunk, count, cancellationToken).ConfigureAwait(false);
                    chunk = null;
                }
            }

            byte[] rest = new byte[4096]; // behind the compressed data
            while (await source.ReadAsync(rest, cancellationToken).ConfigureAwait(false) > 0)
            {
            }

            chunks.Complete(null);
            return size;
        }
        catch (Exception exception)
        {
            Exception cause = exception is InvalidDataException or ZstdSharp.ZstdException or EndOfStreamException
                ? new ImageException(ImageErrorReason.InvalidContent, "The layer cannot be decompressed: it is damaged, or ends too soon", exception) : exception;
            chunks.Complete(cause);
            if (cause == exception) throw;
            throw cause;
        }
        finally
        {
            if (chunk is not null) ChunkStream.Return(chunk);
        }
    }

    /// <summary>What does not read as an archive is perhaps not what was meant: that is the better thing to say.</summary>
    private static async Task CheckAllAsync(HashingStream source, IncrementalHash hash, Digest wanted, long? size, Exception cause, CancellationToken cancellationToken)
    {
        byte[] rest = new byte[4096];
        while (source.Count <= (size ?? long.MaxValue) && await source.ReadAsync(rest, cancellationToken).ConfigureAwait(false) > 0)
        {
        }

        if (size is { } bytes && source.Count != bytes) throw new ImageException(ImageErrorReason.SizeMismatch, $"The layer has {(source.Count > bytes ? "more than " : "")}{Math.Min(source.Count, bytes)} bytes, and its descriptor says {bytes}", cause);
        Digest got = wanted.Finish(hash);
        if (got != wanted) throw new ImageException(ImageErrorReason.DigestMismatch, $"The layer is {got}, and its descriptor says {wanted}", cause);
    }

    private static void Check(UnpackedLayer layer, LayerExpectation expected)
    {
        if (expected.Size is { } size && size != layer.BlobSize) throw new ImageException(ImageErrorReason.SizeMismatch, $"The layer has {layer.BlobSize} bytes, and its descriptor says {size}");
        if (expected.Blob is { } blob && blob != layer.Blob) throw new ImageException(ImageErrorReason.DigestMismatch, $"The layer is {layer.Blob}, and its descriptor says {blob}");
        if (expected.DiffId is { } diffId && diffId != layer.DiffId) throw new ImageException(ImageErrorReason.DigestMismatch, $"The layer's archive is {layer.DiffId}, and the image's configuration says {diffId}");
    }
}
