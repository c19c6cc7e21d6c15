using System.Formats.Tar;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Isolation.Nested;

/// <summary>Small images, as docker-save(1) would write them.</summary>
internal static class StoreImages
{
    internal const string Old = "localhost/store/old:1", New = "localhost/store/new:1";
    private static readonly string Long = string.Concat(Enumerable.Range(0, 3000).Select(number => number.ToString(CultureInfo.InvariantCulture)));

    // The lowest layer is that of both.
    private static readonly byte[] Base = Layer(("etc/", ""), ("etc/hosts", "127.0.0.1 localhost\n"), ("gone", "here\n"), ("long", Long), ("etc/link", "->hosts"), ("etc/second", "=>etc/hosts"));

    internal static string MakeOld(string directory) => Make(directory, Old, Base, Layer(("old/", ""), ("old/file", "old\n")));

    internal static string MakeNew(string directory) => Make(directory, New, Base, Layer(("new/", ""), ("new/file", "new\n"), ("new/long", Long), (".wh.gone", "")), Layer(("deep/er/file", "no entry for its directories\n")));

    /// <summary>Made once: the framework's writer puts the number of the process into extended headers, so another's bytes would be others.</summary>
    /// <returns>The path of an archive named as the image is.</returns>
    internal static string Make(string directory, string name, params byte[][] layers)
    {
        string path = Path.Join(directory, name.Split('/')[^1].Replace(':', '-') + ".tar");
        if (File.Exists(path)) return path;
        string architecture = Images.Platform.Current.Architecture;
        string diffIds = string.Join(',', layers.Select(layer => $"\"sha256:{Convert.ToHexStringLower(SHA256.HashData(layer))}\""));
        using (TarWriter archive = new(File.Create(path + ".new"), TarEntryFormat.Ustar))
        {
            for (int i = 0; i < layers.Length; i++) Write(archive, $"{i}.tar", layers[i]);
            Write(archive, "config.json", Encoding.UTF8.GetBytes($$"""{"architecture":"{{architecture}}","os":"linux","config":{"Cmd":["/long"]},"rootfs":{"diff_ids":[{{diffIds}}],"type":"layers"} }"""));
            Write(archive, "manifest.json", Encoding.UTF8.GetBytes($$"""[{"Config":"config.json","RepoTags":["{{name}}"],"Layers":[{{string.Join(',', layers.Select((_, i) => $"\"{i}.tar\""))}}]}]"""));
        }

        File.Move(path + ".new", path);
        return path;
    }

    /// <summary>A directory ends with a slash, and the content of a link begins with an arrow.</summary>
    internal static byte[] Layer(params (string Name, string Content)[] files)
    {
        MemoryStream layer = new();
        using (TarWriter archive = new(layer, TarEntryFormat.Pax, leaveOpen: true))
        {
            foreach ((string name, string content) in files)
            {
                TarEntryType type = name.EndsWith('/') ? TarEntryType.Directory
                    : content.StartsWith("->", StringComparison.Ordinal) ? TarEntryType.SymbolicLink
                    : content.StartsWith("=>", StringComparison.Ordinal) ? TarEntryType.HardLink : TarEntryType.RegularFile;
                PaxTarEntry entry = new(type, name) { ModificationTime = DateTimeOffset.UnixEpoch.AddYears(40), Mode = (UnixFileMode)(type == TarEntryType.Directory ? 0x1ED : 0x1A4) };
                if (type is TarEntryType.SymbolicLink or TarEntryType.HardLink) entry.LinkName = content[2..];
                if (type == TarEntryType.RegularFile) entry.DataStream = new MemoryStream(Encoding.UTF8.GetBytes(content));
                archive.WriteEntry(entry);
            }
        }

        return layer.ToArray();
    }

    private static void Write(TarWriter archive, string name, byte[] content) =>
        archive.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(content), ModificationTime = DateTimeOffset.UnixEpoch });
}
