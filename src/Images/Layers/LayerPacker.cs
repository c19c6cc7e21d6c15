using System.IO.Compression;
using System.Security.Cryptography;
using Isolation.Linux;
using Isolation.UnionFs;

namespace Isolation.Images;

/// <summary>
/// Makes a tree a layer: a root file system, or the upper directory of an overlay, whose whiteouts become the image's. The
/// same tree gives the same bytes with the same version of .NET. Memory does not grow with the tree, but for names of one directory
/// and files with several names.
/// </summary>
internal static class LayerPacker
{
    private const int BufferSize = 128 << 10;

    /// <param name="directory">The tree; may be of a hostile program that still runs.</param>
    /// <param name="options">How.</param>
    /// <param name="destination">Where the blob goes; not disposed.</param>
    /// <param name="cancellationToken">Ends it; a part has been written.</param>
    /// <exception cref="ImageException">A file cannot be read, or cannot be in an image.</exception>
    internal static Task<PackedLayer> PackAsync(FileDescriptor directory, PackOptions options, Stream destination, CancellationToken cancellationToken = default) =>
        PackAsync((archive, token) => Read(reader => reader.Run(directory), options, archive, token), options.Compression, destination, cancellationToken);

    /// <summary>As the other, of layers that are read as the one tree that they are together.</summary>
    internal static Task<PackedLayer> PackAsync(MergedTree tree, PackOptions options, Stream destination, CancellationToken cancellationToken = default) =>
        PackAsync((archive, token) => Read(reader => reader.Run(tree), options, archive, token), options.Compression, destination, cancellationToken);

    /// <param name="write">Writes the archive, on a thread of its own; tells how many files and sockets there were.</param>
    /// <param name="compression">What it is compressed with.</param>
    /// <param name="destination">Where the blob goes; not disposed.</param>
    /// <param name="cancellationToken">Ends it; a part has been written.</param>
    internal static async Task<PackedLayer> PackAsync(Func<Stream, CancellationToken, (long Entries, long Sockets)> write, LayerCompression compression, Stream destination, CancellationToken cancellationToken)
    {
        using IncrementalHash blobHash = Digest.Empty.StartHash();
        using IncrementalHash? archiveHash = compression == LayerCompression.None ? null : Digest.Empty.StartHash(); // then both are one
        CountingStream blob = new(destination, blobHash);
        using ChunkStream chunks = new();
        using CancellationTokenSource stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);

        // Files are read on one thread, and compressed on another.
        Task<(long Entries, long Sockets)> reading = Task.Factory.StartNew(() => Write(write, chunks, stopping.Token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        try
        {
            long size = await Task.Factory.StartNew(() => Compress(chunks, archiveHash, blob, compression), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).ConfigureAwait(false);
            (long entries, long sockets) = await reading.ConfigureAwait(false);
            Digest digest = Digest.Empty.Finish(blobHash);
            return new(digest, blob.Count, archiveHash is null ? digest : Digest.Empty.Finish(archiveHash), size, entries, sockets);
        }
        catch
        {
            await stopping.CancelAsync().ConfigureAwait(false);
            await ((Task)reading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
            throw;
        }
    }

    private static (long Entries, long Sockets) Write(Func<Stream, CancellationToken, (long Entries, long Sockets)> write, ChunkStream chunks, CancellationToken cancellationToken)
    {
        try
        {
            using ChunkWriter writer = new(chunks, cancellationToken);
            (long, long) written = write(writer, cancellationToken);
            writer.Flush();
            chunks.Complete(null);
            return written;
        }
        catch (Exception exception)
        {
            chunks.Complete(exception);
            throw;
        }
    }

    private static (long Entries, long Sockets) Read(Action<TreeReader> read, PackOptions options, Stream archive, CancellationToken cancellationToken)
    {
        TreeReader reader = new(options, new TarWriter(archive), cancellationToken);
        read(reader);
        return (reader.Entries, reader.Sockets);
    }

    private static long Compress(ChunkStream chunks, IncrementalHash? archiveHash, CountingStream blob, LayerCompression compression)
    {
        long size = 0;
        byte[] buffer = new byte[BufferSize];
        using Stream target = compression switch
        {
            LayerCompression.Gzip => new GZipStream(blob, CompressionLevel.Optimal, leaveOpen: true),
            LayerCompression.Zstd => new ZstdSharp.CompressionStream(blob, leaveOpen: true),
            _ => blob,
        };
        while (chunks.Read(buffer) is > 0 and int count)
        {
            archiveHash?.AppendData(buffer, 0, count);
            target.Write(buffer, 0, count);
            size += count;
        }

        return size;
    }
}
