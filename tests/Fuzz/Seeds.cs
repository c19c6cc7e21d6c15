using System.IO.Compression;
using System.Text;
using Isolation.Images;

namespace Isolation.Fuzz;

/// <summary>Inputs that are as they should be, for afl-fuzz(1) to begin with: small, so that each of their bytes is tried.</summary>
internal static class Seeds
{
    private const string Digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    internal static void Write(string directory)
    {
        byte[] archive = Archive();
        Write(directory, "json", Encoding.UTF8.GetBytes($$$"""{"schemaVersion":2,"mediaType":"{{{MediaTypes.Manifest}}}","config":{"mediaType":"{{{MediaTypes.Config}}}","digest":"{{{Digest}}}","size":2},"layers":[{"mediaType":"{{{MediaTypes.LayerGzip}}}","digest":"{{{Digest}}}","size":0,"annotations":{"a":"b"}}],"x":[1]}"""),
            Encoding.UTF8.GetBytes($$$"""{"schemaVersion":2,"manifests":[{"mediaType":"{{{MediaTypes.Manifest}}}","digest":"{{{Digest}}}","size":7,"platform":{"architecture":"arm","os":"linux","variant":"v7"}}]}"""),
            Encoding.UTF8.GetBytes($$$"""{"architecture":"amd64","os":"linux","created":"2026-01-01T00:00:00.5Z","config":{"User":"1:2","Env":["A=b"],"Cmd":["x"],"Volumes":{"/v":{}},"Healthcheck":{"Test":["NONE"],"Interval":1}},"rootfs":{"type":"layers","diff_ids":["{{{Digest}}}"]},"history":[{"created_by":"x","empty_layer":true}]}"""));
        Write(directory, "names", "localhost:5000/team/tool:1.0"u8.ToArray(), "debian"u8.ToArray(), Encoding.UTF8.GetBytes($"registry.example/a/b@{Digest}"), Encoding.UTF8.GetBytes(Digest));
        Write(directory, "tar", archive);
        Write(directory, "unpack", archive, Compressed(archive));
    }

    private static void Write(string directory, string target, params byte[][] inputs)
    {
        string to = Directory.CreateDirectory(Path.Join(directory, target)).FullName;
        for (int i = 0; i < inputs.Length; i++) File.WriteAllBytes(Path.Join(to, $"{i}"), inputs[i]);
    }

    private static byte[] Compressed(byte[] archive)
    {
        using MemoryStream compressed = new();
        using (GZipStream gzip = new(compressed, CompressionLevel.SmallestSize, leaveOpen: true)) gzip.Write(archive);
        return compressed.ToArray();
    }

    private static byte[] Archive()
    {
        using MemoryStream stream = new();
        TarWriter writer = new(stream);
        Add("d/", TarType.Directory, mode: 0x1ED);
        Add("d/f", TarType.Regular, "content");
        Add("d/l", TarType.SymbolicLink, target: "../f");
        Add("h", TarType.HardLink, target: "d/f");
        Add("p", TarType.Fifo);
        Add("d/.wh.gone", TarType.Regular);
        TarEntry sparse = new() { Name = "s"u8.ToArray(), Type = TarType.Regular, Mode = 0x1A4, Size = 5000, StoredSize = 2, Data = [(4096, 2), (5000, 0)] };
        sparse.Attributes.Add(("user.k"u8.ToArray(), "v"u8.ToArray()));
        writer.Begin(sparse);
        writer.Write("xy"u8);
        writer.Finish();
        return stream.ToArray();

        void Add(string name, TarType type, string content = "", string target = "", uint mode = 0x1A4)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(content);
            writer.Begin(new() { Name = Encoding.UTF8.GetBytes(name), Type = type, LinkTarget = Encoding.UTF8.GetBytes(target), Mode = mode, Size = bytes.Length, StoredSize = bytes.Length, Modified = (1, 5) });
            if (bytes.Length > 0) writer.Write(bytes);
        }
    }
}
