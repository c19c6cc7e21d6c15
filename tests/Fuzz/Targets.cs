using System.Text;
using Isolation.Images;
using Isolation.Linux;
using Isolation.UnionFs;

namespace Isolation.Fuzz;

/// <summary>
/// What comes from others and is parsed. An input is taken or refused with the exception that the interface names; what was
/// taken says the same when it is written and read again. Anything else that is thrown is a finding.
/// </summary>
internal static class Targets
{
    // Nothing of what is instrumented may run before afl-fuzz listens.
    private static UnpackOptions Small => new() { Bounds = LayerBounds.Default with { Bytes = 4 << 20, Entries = 2000 } };

    internal static IReadOnlyDictionary<string, Action<byte[]>> All { get; } = new SortedDictionary<string, Action<byte[]>>(StringComparer.Ordinal)
    {
        ["json"] = Json,
        ["names"] = Names,
        ["tar"] = Tar,
        ["unpack"] = Unpack,
    };

    /// <summary>A manifest, an index and a configuration: each input is tried as all three.</summary>
    private static void Json(byte[] input)
    {
        Again(input, content => ImageJson.ReadManifest(content), manifest => ImageJson.ToUtf8(manifest, ImageModel.Default.Manifest));
        Again(input, content => ImageJson.ReadIndex(content), index => ImageJson.ToUtf8(index, ImageModel.Default.ImageIndex));
        Again(input, content => ImageJson.ReadConfig(content), config => ImageJson.ToUtf8(config, ImageModel.Default.ImageConfig));
    }

    private static void Again<T>(byte[] input, Func<byte[], T> read, Func<T, byte[]> write)
    {
        T first;
        try
        {
            first = read(input);
        }
        catch (FormatException)
        {
            return;
        }

        byte[] written = write(first);
        Same(written, write(read(written)), typeof(T).Name);
    }

    private static void Names(byte[] input)
    {
        string text = Encoding.UTF8.GetString(input);
        if (ImageReference.TryParse(text, out ImageReference? reference)) Same(reference, ImageReference.Parse(reference.ToString()), "reference");
        if (ImageReference.TryParse(text, out reference)) Same(reference, ImageReference.Parse(reference.ToFamiliarString()), "familiar reference");
        if (Digest.TryParse(text, out Digest? digest)) Same(digest, Digest.Parse(digest.ToString()), "digest");
    }

    private static void Tar(byte[] input)
    {
        List<(TarEntry Entry, byte[] Content)> entries;
        try
        {
            entries = Read(input);
        }
        catch (ImageException)
        {
            return;
        }

        byte[] written = Written(entries);
        Same(written, Written(Read(written)), "archive");
    }

    private static List<(TarEntry Entry, byte[] Content)> Read(byte[] archive)
    {
        List<(TarEntry, byte[])> entries = [];
        using MemoryStream stream = new(archive);
        for (TarReader reader = new(stream); reader.Next() is { } entry;)
        {
            using MemoryStream content = new();
            byte[] buffer = new byte[4096];
            for (long left = entry.Type == TarType.Regular ? entry.StoredSize : 0; left > 0;)
            {
                int count = reader.Read(buffer.AsSpan(0, (int)Math.Min(left, buffer.Length)));
                content.Write(buffer.AsSpan(0, count));
                left -= count;
            }

            entries.Add((entry, content.ToArray()));
        }

        return entries;
    }

    private static byte[] Written(List<(TarEntry Entry, byte[] Content)> entries)
    {
        using MemoryStream stream = new();
        TarWriter writer = new(stream);
        foreach ((TarEntry entry, byte[] content) in entries)
        {
            writer.Begin(entry);
            if (content.Length > 0) writer.Write(content);
        }

        writer.Finish();
        return stream.ToArray();
    }

    /// <summary>A layer, compressed or not, into an empty directory: nothing beside it is touched.</summary>
    private static void Unpack(byte[] input)
    {
        string top = Path.Join(Path.GetTempPath(), $"isolation-fuzz-{Environment.ProcessId}"), tree = Path.Join(top, "tree"), outside = Path.Join(top, "outside");
        Directory.CreateDirectory(tree);
        File.WriteAllText(outside, "outside");
        using (FileDescriptor directory = FileDescriptor.Open(tree, Abi.O_RDONLY))
        {
            try
            {
                using MemoryStream stream = new(input);
                LayerUnpacker.UnpackAsync(stream, new(), directory, Small).GetAwaiter().GetResult();
            }
            catch (ImageException)
            {
                // Named, and nothing else happened.
            }
        }

        bool whole = File.ReadAllText(outside) == "outside" && Directory.GetFileSystemEntries(top).Length == 2;
        using (FileDescriptor parent = FileDescriptor.Open(Path.GetTempPath(), Abi.O_RDONLY)) TreeRemoval.Remove(parent, FileName.Of(Path.GetFileName(top)));
        if (!whole) throw new InvalidOperationException("What is outside was written.");
    }

    private static void Same(byte[] one, byte[] other, string what)
    {
        if (!one.AsSpan().SequenceEqual(other)) throw new InvalidOperationException($"Written, read and written again, the {what} is another.");
    }

    private static void Same<T>(T one, T other, string what)
        where T : notnull
    {
        if (!one.Equals(other)) throw new InvalidOperationException($"Written and read again, the {what} {one} is {other}.");
    }
}
