using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Isolation.Linux;

namespace Isolation.Live.Tests;

/// <summary>A tree with one of everything that a copy keeps, and what there is to compare of two trees in different places.</summary>
internal static class FileTree
{
    /// <summary>Relative names, kinds, modes, times, contents, links, which names are one file, attributes.</summary>
    internal static async Task<string[]> OfAsync(string directory, bool attributes = true)
    {
        // find(1), since .NET gives no names that are not UTF-8, and no inode numbers.
        (int code, string output, string error) = await Sandbox.OnHostAsync("find", directory, "-printf", @"%y %m %T@ %i %n %l:%P\0");
        Assert.True(code == 0, error);
        Dictionary<string, string> first = [];
        List<string> lines = [];
        foreach (string line in output.Split('\0', StringSplitOptions.RemoveEmptyEntries).OrderBy(line => line[line.IndexOf(':', StringComparison.Ordinal)..], StringComparer.Ordinal))
        {
            string[] words = line.Split(' ', 6);
            string name = words[5][(words[5].IndexOf(':', StringComparison.Ordinal) + 1)..];
            string file = first.TryGetValue(words[3], out string? other) ? other : first[words[3]] = name;
            string text = $"{name}: {words[0]} {words[1]} {words[2]} {words[5]}";
            if (words[0] == "f") text += $" {words[4]} {file} {ContentOf(Path.Join(directory, name))}";
            if (attributes && words[0] is "f" or "d") text += $" {Attribute(Path.Join(directory, name))}";
            lines.Add(text);
        }

        return [.. lines];
    }

    internal static void Make(string directory, bool attributes = true)
    {
        Directory.CreateDirectory(directory, (UnixFileMode)0x1ED);
        string At(string name) => Path.Join(directory, name);
        Directory.CreateDirectory(At("a/b/c"));
        Directory.CreateDirectory(At("empty"), (UnixFileMode)0x1C0);
        File.WriteAllText(At("a/plain"), "plain");
        File.SetUnixFileMode(At("a/plain"), (UnixFileMode)0x1A4);
        File.WriteAllText(At("a/b/program"), "#!/bin/sh\n");
        File.SetUnixFileMode(At("a/b/program"), (UnixFileMode)0x1ED);
        File.WriteAllText(At("a/b/secret"), "secret");
        File.SetUnixFileMode(At("a/b/secret"), (UnixFileMode)0x180);
        File.WriteAllBytes(At("a/large"), RandomNumberGenerator.GetBytes(3 << 20));
        File.WriteAllText(At("new\nline \"quoted\" ü"), "odd");
        File.WriteAllText(At("nothing"), "");
        File.CreateSymbolicLink(At("link"), "a/plain");
        File.CreateSymbolicLink(At("absolute"), "/etc/passwd");
        File.CreateSymbolicLink(At("a/dangling"), "../../../../nowhere");
        File.CreateSymbolicLink(At("a/directory"), "b");
        Link(At("a/plain"), At("a/b/c/second"));
        Link(At("a/plain"), At("third"));
        using (FileStream sparse = File.Create(At("sparse")))
        {
            sparse.Write("begin"u8);
            sparse.Position = 64 << 20;
            sparse.Write("end"u8);
            sparse.SetLength(80 << 20);
        }

        Call(SystemCall.mknodat, At("fifo"), Abi.S_IFIFO | 0x1B6);
        if (attributes)
        {
            SetAttribute(At("a/plain"), "of a file");
            SetAttribute(At("empty"), "of a directory");
        }

        File.SetLastWriteTimeUtc(At("a/plain"), new DateTime(1999, 12, 31, 23, 59, 59, DateTimeKind.Utc).AddTicks(1234567));
        Directory.SetLastWriteTimeUtc(At("empty"), new DateTime(2001, 2, 3, 4, 5, 6, DateTimeKind.Utc));
        Directory.SetLastWriteTimeUtc(At("a/b"), new DateTime(2002, 2, 3, 4, 5, 6, DateTimeKind.Utc));
    }

    internal static async Task RemoveAsync(string directory) => await Sandbox.OnHostAsync("rm", "-rf", directory);

    internal static long Blocks(string path)
    {
        using FileDescriptor file = FileDescriptor.Open(path, Abi.O_RDONLY);
        return Syscall.Check(SyscallSeek(file, Abi.SEEK_HOLE), "lseek");
    }

    internal static unsafe void Call(SystemCall call, string path, int mode)
    {
        fixed (byte* bytes = FileName.Of(path)) Syscall.Check(Syscall.Invoke(call, Abi.AT_FDCWD, (nint)bytes, mode), call.ToString());
    }

    internal static unsafe void Link(string from, string to)
    {
        fixed (byte* old = FileName.Of(from), name = FileName.Of(to))
            Syscall.Check(Syscall.Invoke(SystemCall.linkat, Abi.AT_FDCWD, (nint)old, Abi.AT_FDCWD, (nint)name), "linkat");
    }

    internal static unsafe void Exchange(string one, string other)
    {
        const int RENAME_EXCHANGE = 2;
        fixed (byte* first = FileName.Of(one), second = FileName.Of(other))
            Syscall.Invoke(SystemCall.renameat2, Abi.AT_FDCWD, (nint)first, Abi.AT_FDCWD, (nint)second, RENAME_EXCHANGE);
    }

    private static nint SyscallSeek(FileDescriptor file, int whence) => Syscall.Invoke(SystemCall.lseek, file.Number, 0, whence);

    private static string ContentOf(string path) =>
        path.Contains('\uFFFD') ? "" : Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(path)));

    private static unsafe void SetAttribute(string path, string value)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(value);
        fixed (byte* file = FileName.Of(path), name = "user.test\0"u8, text = bytes)
            Syscall.Check(Syscall.Invoke(SystemCall.setxattr, (nint)file, (nint)name, (nint)text, bytes.Length), "setxattr");
    }

    private static unsafe string Attribute(string path)
    {
        byte[] bytes = new byte[256];
        fixed (byte* file = FileName.Of(path), name = "user.test\0"u8, text = bytes)
        {
            nint length = Syscall.Invoke(SystemCall.getxattr, (nint)file, (nint)name, (nint)text, bytes.Length);
            return length > 0 ? Encoding.UTF8.GetString(bytes.AsSpan(0, (int)length)) : "";
        }
    }
}
