using System.Diagnostics;
using Isolation.Linux;

namespace Isolation.Images.Tests;

/// <summary>A directory that layers are unpacked into and made of, gone with the test.</summary>
internal sealed class LayerDirectory : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("isolation-test-");

    internal LayerDirectory()
    {
        Directory.CreateDirectory(Path);
        File.WriteAllText(Outside, "outside");
    }

    internal string Path => System.IO.Path.Join(_directory.FullName, "tree");

    /// <summary>A file that nothing may touch.</summary>
    internal string Outside => System.IO.Path.Join(_directory.FullName, "outside");

    internal string this[string name] => System.IO.Path.Join(Path, name);

    internal FileDescriptor Open() => FileDescriptor.Open(Path, Abi.O_RDONLY);

    internal async Task<UnpackedLayer> UnpackAsync(byte[] blob, UnpackOptions? options = null, LayerExpectation? expected = null)
    {
        using FileDescriptor directory = Open();
        using MemoryStream stream = new(blob);
        return await LayerUnpacker.UnpackAsync(stream, expected ?? new(), directory, options ?? new(), TestContext.Current.CancellationToken);
    }

    internal async Task<(PackedLayer Layer, byte[] Blob)> PackAsync(PackOptions? options = null)
    {
        using FileDescriptor directory = Open();
        using MemoryStream stream = new();
        PackedLayer layer = await LayerPacker.PackAsync(directory, options ?? new() { Compression = LayerCompression.None }, stream, TestContext.Current.CancellationToken);
        return (layer, stream.ToArray());
    }

    /// <summary>All that is known of each file, a line each.</summary>
    internal string[] Listing()
    {
        List<string> lines = [];
        Dictionary<ulong, string> first = [];
        using FileDescriptor top = Open();
        List(top, "", lines, first);
        return [.. lines];
    }

    private static void List(FileDescriptor directory, string path, List<string> lines, Dictionary<ulong, string> first)
    {
        Assert.Equal(0, DirectoryListing.TryRead(directory, long.MaxValue, out List<byte[]> names));
        lines.Add(Line(directory, ".\0"u8.ToArray(), path + ".", first));
        foreach (byte[] name in names.OrderBy(Convert.ToHexString))
        {
            string inside = path + System.Text.Encoding.Latin1.GetString(name[..^1]);
            Assert.Equal(0, FileEntries.Status(directory, name, out FileStatus status));
            if (status.Type != FileType.Directory)
            {
                lines.Add(Line(directory, name, inside, first));
                continue;
            }

            using FileDescriptor below = new((int)Syscall.Check(FileEntries.Open(directory, name, Abi.O_RDONLY), "open"));
            List(below, inside + "/", lines, first);
        }
    }

    private static string Line(FileDescriptor directory, byte[] name, string path, Dictionary<ulong, string> first)
    {
        Assert.Equal(0, FileEntries.Status(directory, name, out FileStatus status));
        byte[] buffer = new byte[Abi.XATTR_LIST_MAX];
        string more = "";
        if (status.Type == FileType.SymbolicLink) more = "-> " + Convert.ToHexString(buffer.AsSpan(0, (int)FileEntries.LinkTarget(directory, name, buffer)));
        if (status.Type == FileType.Regular)
        {
            if (status.Links > 1 && !first.TryAdd(status.Inode, path)) more = "= " + first[status.Inode];
            using FileDescriptor file = new((int)Syscall.Check(FileEntries.Open(directory, name, Abi.O_RDONLY), "open"));
            using FileStream stream = new(new Microsoft.Win32.SafeHandles.SafeFileHandle(file.Number, ownsHandle: false), FileAccess.Read);
            more += Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(stream)) + $" {status.Size}";
            if (status.Size > 1 << 20) more += " " + DataOf(file, status.Size); // not its blocks: how many it takes to say where they are depends on the disk
        }

        int length = (int)Syscall.Check(FileEntries.ListAttributes(directory, name, buffer), "llistxattr");
        List<string> attributes = [];
        foreach (string attribute in System.Text.Encoding.UTF8.GetString(buffer.AsSpan(0, length)).Split('\0', StringSplitOptions.RemoveEmptyEntries))
        {
            if (FileOwnership.IsOwn(System.Text.Encoding.UTF8.GetBytes(attribute))) continue; // what a user without privilege records beside a file
            byte[] value = new byte[Abi.XATTR_SIZE_MAX];
            attributes.Add($"{attribute}={Convert.ToHexString(value.AsSpan(0, (int)FileEntries.GetAttribute(directory, name, System.Text.Encoding.UTF8.GetBytes(attribute + "\0"), value)))}");
        }

        return $"{path} {status.Type} {Convert.ToString(status.Mode, 8)} {status.Uid}:{status.Gid} {status.Modified} {status.RawDevice} {more} {string.Join(' ', attributes.Order())}";
    }

    private static string DataOf(FileDescriptor file, long size)
    {
        const int SeekData = 3, SeekHole = 4;
        List<string> parts = [];
        for (long at = 0; at < size && FileEntries.Seek(file, at, SeekData) is >= 0 and nint start; at = FileEntries.Seek(file, start, SeekHole)) parts.Add($"{start}-{FileEntries.Seek(file, start, SeekHole)}");
        return string.Join(',', parts);
    }

    internal static byte[] Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        using MemoryStream output = new();
        process.StandardOutput.BaseStream.CopyTo(output);
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, error.Result);
        return output.ToArray();
    }

    /// <summary>An archive of entries, each with a content where it is a file.</summary>
    internal static byte[] Archive(params (TarEntry Entry, string Content)[] entries)
    {
        using MemoryStream stream = new();
        TarWriter writer = new(stream);
        foreach ((TarEntry entry, string content) in entries)
        {
            byte[] bytes = System.Text.Encoding.UTF8.GetBytes(content);
            if (entry.Type == TarType.Regular && entry.Data is null) entry.Size = entry.StoredSize = bytes.Length;
            writer.Begin(entry);
            if (bytes.Length > 0) writer.Write(bytes);
        }

        writer.Finish();
        return stream.ToArray();
    }

    internal static (TarEntry Entry, string Content) FileOf(string name, string content = "") => (new TarEntry { Name = Bytes(name), Type = TarType.Regular, Mode = 0x1A4 }, content);

    internal static (TarEntry Entry, string Content) DirectoryOf(string name) => (new TarEntry { Name = Bytes(name), Type = TarType.Directory, Mode = 0x1ED }, "");

    internal static (TarEntry Entry, string Content) LinkOf(string name, string target) => (new TarEntry { Name = Bytes(name), Type = TarType.SymbolicLink, LinkTarget = Bytes(target), Mode = 0x1FF }, "");

    internal static (TarEntry Entry, string Content) HardLinkOf(string name, string target) => (new TarEntry { Name = Bytes(name), Type = TarType.HardLink, LinkTarget = Bytes(target), Mode = 0x1A4 }, "");

    public void Dispose()
    {
        using FileDescriptor parent = FileDescriptor.Open(_directory.Parent!.FullName, Abi.O_RDONLY);
        Assert.Equal(0, TreeRemoval.TryRemove(parent, Bytes(_directory.Name + "\0")));
    }

    private static byte[] Bytes(string text) => System.Text.Encoding.UTF8.GetBytes(text);
}
