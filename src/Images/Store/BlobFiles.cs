using System.Security.Cryptography;

namespace Isolation.Images;

/// <summary>The blobs of a store, each under its digest. Safe from any thread, and any process.</summary>
internal sealed class BlobFiles(StoreFiles files)
{
    /// <summary>Whether it is there with all its bytes; one of another length is none, least of all one of no length.</summary>
    internal bool Has(Descriptor descriptor)
    {
        FileInfo file = new(files.BlobPath(descriptor.Digest));
        return file.Exists && file.Length == descriptor.Size;
    }

    /// <summary>Whether it is there, and its bytes are those that its digest names: what was damaged on disk is to be put again.</summary>
    internal async Task<bool> IsWholeAsync(Descriptor descriptor, CancellationToken cancellationToken) =>
        Has(descriptor) && (!descriptor.Digest.CanVerify || await DigestOfAsync(descriptor, cancellationToken).ConfigureAwait(false) == descriptor.Digest);

    /// <summary>What the bytes on disk are.</summary>
    /// <exception cref="ImageException">It is not there, has another length, or cannot be read.</exception>
    internal async Task<Digest> DigestOfAsync(Descriptor descriptor, CancellationToken cancellationToken)
    {
        using IncrementalHash hash = descriptor.Digest.StartHash();
        FileStream blob = Open(descriptor);
        try
        {
            await using (blob.ConfigureAwait(false)) await new HashingStream(blob, hash).CopyToAsync(Stream.Null, 128 << 10, cancellationToken).ConfigureAwait(false);
        }
        catch (IOException exception)
        {
            throw new ImageException(ImageErrorReason.Damaged, $"The blob {descriptor.Digest} cannot be read", exception, "load or pull the image again");
        }

        return descriptor.Digest.Finish(hash);
    }

    /// <exception cref="ImageException">It is not there, has another length, or cannot be opened.</exception>
    internal FileStream Open(Descriptor descriptor)
    {
        string path = files.BlobPath(descriptor.Digest);
        FileStream stream;
        try
        {
            stream = new(path, new FileStreamOptions { BufferSize = 0, Options = FileOptions.SequentialScan });
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ImageException(ImageErrorReason.NotFound, $"The blob {descriptor.Digest} is not in the store '{files.Path}'", exception, "load or pull the image again");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw StoreCalls.Unreadable(path, exception);
        }

        if (stream.Length == descriptor.Size) return stream;
        long length = stream.Length;
        stream.Dispose();
        throw new ImageException(ImageErrorReason.Damaged, $"The blob {descriptor.Digest} has {length} bytes, and its descriptor says {descriptor.Size}", remedy: "load or pull the image again");
    }

    /// <summary>The whole of a manifest, an index or a configuration, checked.</summary>
    /// <exception cref="ImageException">It is not there, damaged, or too large.</exception>
    internal byte[] Read(Descriptor descriptor)
    {
        if (descriptor.Size > ImageJson.Longest) throw new ImageException(ImageErrorReason.TooLarge, $"The {descriptor.MediaType} {descriptor.Digest} has {descriptor.Size} bytes, and {ImageJson.Longest} are read at most");
        using FileStream stream = Open(descriptor);
        byte[] content = new byte[descriptor.Size];
        try
        {
            stream.ReadExactly(content);
        }
        catch (IOException exception)
        {
            throw StoreCalls.Unreadable(stream.Name, exception);
        }

        Check(descriptor.Digest, content);
        return content;
    }

    /// <summary>Puts a small one; nothing where it is there as it should be.</summary>
    internal Descriptor Put(string mediaType, ReadOnlySpan<byte> content)
    {
        Descriptor descriptor = new() { MediaType = mediaType, Digest = Digest.Of(content), Size = content.Length };
        Put(descriptor, content);
        return descriptor;
    }

    /// <summary>As the other, of what was checked.</summary>
    internal void Put(Descriptor descriptor, ReadOnlySpan<byte> content)
    {
        if (Has(descriptor) && content.SequenceEqual(StoreCalls.ReadIfThere(files.BlobPath(descriptor.Digest)))) return;
        string directory = $"blobs/{descriptor.Digest.Algorithm}";
        files.MakeDirectory(directory);
        files.Replace($"{directory}/{descriptor.Digest.Encoded}", content);
    }

    /// <summary>Puts one from a stream, which is read to its end.</summary>
    /// <param name="content">Where it comes from.</param>
    /// <param name="expected">What it must be; null for whatever it is.</param>
    /// <param name="cancellationToken">Nothing is left where it is cancelled.</param>
    /// <returns>What it is, and how long.</returns>
    /// <exception cref="ImageException">It is not what it must be.</exception>
    internal async Task<(Digest Digest, long Size)> PutAsync(Stream content, Digest? expected, CancellationToken cancellationToken)
    {
        using TemporaryPlace place = files.MakeTemporary();
        string path = Path.Join(place.Path, "blob");
        using IncrementalHash hash = (expected ?? Digest.Empty).StartHash();
        long size;
        using (NewFile file = NewFile.Create(path))
        {
            HashingStream source = new(content, hash);
            await source.CopyToAsync(file, 128 << 10, cancellationToken).ConfigureAwait(false);
            size = source.Count;
            file.Sync();
        }

        Digest digest = (expected ?? Digest.Empty).Finish(hash);
        if (expected is not null && digest != expected) throw new ImageException(ImageErrorReason.DigestMismatch, $"The blob that should be {expected} is {digest}, with {size} bytes");
        files.PublishBlob(path, digest);
        return (digest, size);
    }

    private static void Check(Digest expected, ReadOnlySpan<byte> content)
    {
        using IncrementalHash hash = expected.StartHash();
        hash.AppendData(content);
        Digest got = expected.Finish(hash);
        if (got != expected) throw new ImageException(ImageErrorReason.Damaged, $"The blob {expected} is {got}", remedy: "load or pull the image again");
    }
}
