using System.Security.Cryptography;
using Isolation.Linux;

namespace Isolation.Images;

public sealed partial class ImageStore
{
    /// <summary>
    /// Makes an image of one layer from a root file system: a directory, or a plain tar archive as docker-export(1),
    /// <see cref="ExportAsync"/> or mmdebstrap(1) write it, as it is or compressed with gzip, zstd or bzip2. The archive becomes the layer as
    /// it is, with its times: the same archive with the same <see cref="CommitOptions.Created"/> gives the same image.
    /// </summary>
    /// <param name="path">Of the archive or directory.</param>
    /// <param name="options">The image's name, and how it is run.</param>
    /// <param name="platform">What it runs on; this machine's where it is null.</param>
    /// <param name="cancellationToken">Ends it; nothing is left then.</param>
    /// <exception cref="ImageException">It is no archive, damaged, or has what no root file system has; or the store cannot be written.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public async Task<Image> ImportAsync(string path, CommitOptions? options = null, Platform? platform = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (Directory.Exists(path))
        {
            using StoreLease lease = await KeepEverythingAsync(cancellationToken).ConfigureAwait(false);
            using FileDescriptor directory = FileDescriptor.Open(path, Abi.O_RDONLY | TargetAbi.Current.O_DIRECTORY);
            (Descriptor layer, Digest diffId) = await PackAsync(directory, new() { IncludeTop = true, Compression = options?.Compression ?? LayerCompression.Gzip, LatestTime = options?.Created }, cancellationToken).ConfigureAwait(false);
            return await MakeAsync(layer, diffId, options ?? new(), platform, cancellationToken).ConfigureAwait(false);
        }

        FileStream archive = new(path, new FileStreamOptions { BufferSize = 0, Options = FileOptions.SequentialScan });
        await using (archive.ConfigureAwait(false)) return await ImportArchiveAsync(archive, options, platform, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>As the other, from an archive that is read to its end and stays the caller's.</summary>
    /// <inheritdoc cref="ImportAsync"/>
    public async Task<Image> ImportArchiveAsync(Stream archive, CommitOptions? options = null, Platform? platform = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(archive);
        options ??= new();
        using StoreLease lease = await KeepEverythingAsync(cancellationToken).ConfigureAwait(false);
        using IncrementalHash unused = Digest.Empty.StartHash();
        HashingStream source = new(archive, unused);
        Stream opened = await OpenAsync(source, cancellationToken).ConfigureAwait(false);
        await using (opened.ConfigureAwait(false))
        {
            try
            {
                (Descriptor layer, Digest diffId) = await PackAsync((file, token) => LayerPacker.PackAsync((target, stopping) => CopyRoot(opened, target, stopping), options.Compression, file, token), options.Compression, cancellationToken).ConfigureAwait(false);
                return await MakeAsync(layer, diffId, options, platform, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception exception) when (IsBrokenCompression(exception))
            {
                throw BrokenCompression(exception);
            }
        }
    }

    /// <summary>Passes an archive on as it is, and looks at it meanwhile.</summary>
    private (long Entries, long Sockets) CopyRoot(Stream archive, Stream target, CancellationToken cancellationToken)
    {
        TeeStream tee = new(archive, target);
        TarReader reader = new(tee);
        long entries = 0;
        while (reader.Next() is { } entry)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (++entries > _options.LayerBounds.Entries) throw new ImageException(ImageErrorReason.TooLarge, $"The archive has more than {_options.LayerBounds.Entries} entries");
            if (tee.Count > _options.LayerBounds.Bytes) throw new ImageException(ImageErrorReason.TooLarge, $"The archive has more than {_options.LayerBounds.Bytes} bytes");
            List<byte[]> steps = TarPath.Parse(entry.Name, _options.LayerBounds.Depth);
            if (steps.Count > 0 && steps[^1].AsSpan().StartsWith(".wh."u8)) throw new ImageException(ImageErrorReason.UnsafeEntry, $"'{TarPath.Shown(entry.Name)}' cannot be in a root file system: in a layer, names that begin with .wh. say what is removed", remedy: "give it another name; or is the archive one of images (LoadAsync)?");
        }

        if (entries == 0) throw new ImageException(ImageErrorReason.InvalidContent, "The archive of a root file system is empty");
        byte[] rest = new byte[4096]; // what fills it up to its last record is part of it
        while (tee.Read(rest) > 0) cancellationToken.ThrowIfCancellationRequested();
        return (entries, 0);
    }

    private async Task<Image> MakeAsync(Descriptor layer, Digest diffId, CommitOptions options, Platform? platform, CancellationToken cancellationToken)
    {
        Platform on = platform ?? Platform.Current;
        ImageConfig config = new() { Architecture = on.Architecture, Os = on.Os, Variant = on.Variant, RootFs = new() { Type = "layers", DiffIds = [] } };
        return await MakeAsync(config, [], layer, diffId, options, null, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Reads a stream, and writes what it reads to another.</summary>
    private sealed class TeeStream(Stream source, Stream target) : Stream
    {
        internal long Count { get; private set; }

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(Span<byte> buffer)
        {
            int count = source.Read(buffer);
            target.Write(buffer[..count]);
            Count += count;
            return count;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override void Flush() => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
