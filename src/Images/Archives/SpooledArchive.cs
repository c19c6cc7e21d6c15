using System.Security.Cryptography;
using System.Text;
using Isolation.Linux;

namespace Isolation.Images;

/// <summary>The files of an archive of images, written down as they came: what they are is said at its end. For one thread.</summary>
internal sealed class SpooledArchive : IDisposable
{
    private const int MostEntries = 100_000;
    private readonly TemporaryPlace _place;
    private readonly Dictionary<string, (string Path, Digest Digest, long Size)> _files = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _links = new(StringComparer.Ordinal);

    private SpooledArchive(TemporaryPlace place) => _place = place;

    /// <param name="archive">Decompressed.</param>
    /// <param name="place">Becomes this one's.</param>
    /// <param name="bounds">How much it may be.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="ImageException">It is no archive, or damaged, or too large.</exception>
    internal static SpooledArchive Read(Stream archive, TemporaryPlace place, LayerBounds bounds, CancellationToken cancellationToken)
    {
        SpooledArchive spooled = new(place);
        try
        {
            TarReader reader = new(archive);
            long size = 0;
            byte[] buffer = new byte[128 << 10];
            for (int i = 0; reader.Next() is { } entry; i++)
            {
                if (i == MostEntries) throw new ImageException(ImageErrorReason.TooLarge, $"The archive has more than {MostEntries} entries, and is none of images");
                string name = NameOf(TarPath.Parse(entry.Name, bounds.Depth));
                if (entry.Type is TarType.SymbolicLink or TarType.HardLink) spooled._links[name] = TargetOf(name, entry);
                if (entry.Type != TarType.Regular) continue;
                if (entry.Data is not null) throw new ImageException(ImageErrorReason.NotSupported, $"The archive has the sparse file '{name}', which no archive of images has");
                size += entry.Size;
                if (size > bounds.Bytes) throw new ImageException(ImageErrorReason.TooLarge, $"The archive has more than {bounds.Bytes} bytes");
                spooled.Write(name, reader, buffer, i, cancellationToken);
            }

            return spooled;
        }
        catch
        {
            spooled.Dispose();
            throw;
        }
    }

    internal bool Has(string name) => Find(name) is not null;

    /// <summary>A small file.</summary>
    /// <exception cref="ImageException">It is not there, or too large.</exception>
    internal byte[] ReadAll(string name)
    {
        (string path, _, long size) = Get(name);
        return size <= ImageJson.Longest ? File.ReadAllBytes(path) : throw new ImageException(ImageErrorReason.TooLarge, $"The file '{name}' of the archive has {size} bytes, and {ImageJson.Longest} are read at most");
    }

    internal (string Path, Digest Digest, long Size) Get(string name) => Find(name) ?? throw new ImageException(ImageErrorReason.InvalidContent, $"The archive has no file '{name}', which it names");

    public void Dispose() => _place.Dispose();

    private (string Path, Digest Digest, long Size)? Find(string name)
    {
        const int MostLinks = 8;
        for (int i = 0; i < MostLinks; i++)
        {
            if (_files.TryGetValue(name, out (string Path, Digest Digest, long Size) file)) return file;
            if (!_links.TryGetValue(name, out string? target)) return null;
            name = target;
        }

        return null;
    }

    private void Write(string name, TarReader reader, byte[] buffer, int number, CancellationToken cancellationToken)
    {
        string path = Path.Join(_place.Path, $"{number}");
        using IncrementalHash hash = Digest.Empty.StartHash();
        long size = 0;
        using (NewFile file = NewFile.Create(path))
        {
            while (reader.Read(buffer) is > 0 and int count)
            {
                cancellationToken.ThrowIfCancellationRequested();
                hash.AppendData(buffer, 0, count);
                file.Write(buffer.AsSpan(0, count));
                size += count;
            }
        }

        _files[name] = (path, Digest.Empty.Finish(hash), size);
        _links.Remove(name);
    }

    private static string NameOf(List<byte[]> steps) => string.Join('/', steps.Select(step => FileName.Text(step)));

    /// <summary>A link of docker-save(1) is relative to where it is.</summary>
    private static string TargetOf(string name, TarEntry entry)
    {
        string target = Encoding.UTF8.GetString(entry.LinkTarget);
        string from = entry.Type == TarType.SymbolicLink && !target.StartsWith('/') ? Path.GetDirectoryName(name) + "/" + target : target;
        return Path.GetFullPath("/" + from)[1..];
    }
}
