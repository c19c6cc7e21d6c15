using System.Security.Cryptography;
using System.Text;
using Isolation.Linux;

namespace Isolation.Live.Tests;

/// <summary>All that an image says of its files, a line for each: path, kind, mode, owner, time, device, link, which names are one file, content, attributes.</summary>
internal static class TreeListing
{
    /// <param name="directory">Whose entries are listed; itself it is not, for tools differ in whether a layer has one for it.</param>
    /// <param name="holes">Whether the room that a file takes on disk is told.</param>
    internal static string[] Of(string directory, bool holes = false)
    {
        using FileDescriptor top = FileDescriptor.Open(directory, Abi.O_RDONLY | TargetAbi.Current.O_DIRECTORY);
        List<string> lines = [];
        List(top, "", lines, [], holes);
        return [.. lines];
    }

    private static void List(FileDescriptor directory, string path, List<string> lines, Dictionary<(ulong, (uint, uint)), string> first, bool holes)
    {
        Assert.Equal(0, DirectoryListing.TryRead(directory, 1 << 20, out List<byte[]> names));
        foreach (byte[] name in names.OrderBy(name => Encoding.Latin1.GetString(name), StringComparer.Ordinal))
        {
            Assert.Equal(0, FileEntries.Status(directory, name, out FileStatus status));
            string inside = $"{path}/{FileName.Text(name)}";
            lines.Add($"{inside} {status.Type} {Convert.ToString(status.Mode, 8)} {status.Uid}:{status.Gid} {status.Modified} {status.RawDevice} {Content(directory, name, status, inside, first, holes)} {Attributes(directory, name)}".TrimEnd());
            if (status.Type != FileType.Directory) continue;
            using FileDescriptor below = new((int)Syscall.Check(FileEntries.Open(directory, name, Abi.O_RDONLY), "open"));
            List(below, inside, lines, first, holes);
        }
    }

    private static string Content(FileDescriptor directory, byte[] name, FileStatus status, string path, Dictionary<(ulong, (uint, uint)), string> first, bool holes)
    {
        if (status.Type == FileType.SymbolicLink)
        {
            byte[] target = new byte[Abi.PATH_MAX];
            return "-> " + Encoding.UTF8.GetString(target.AsSpan(0, (int)FileEntries.LinkTarget(directory, name, target)));
        }

        if (status.Type != FileType.Regular) return "";
        string same = status.Links > 1 && !first.TryAdd((status.Inode, status.Device), path) ? "= " + first[(status.Inode, status.Device)] + " " : "";
        using FileDescriptor file = new((int)Syscall.Check(FileEntries.Open(directory, name, Abi.O_RDONLY), "open"));
        using FileStream stream = new(new Microsoft.Win32.SafeHandles.SafeFileHandle(file.Number, ownsHandle: false), FileAccess.Read);
        return $"{same}{status.Size} {Convert.ToHexString(SHA256.HashData(stream))[..16]}{(holes && status.Size > 1 << 20 ? $" {status.Blocks}" : "")}";
    }

    private static string Attributes(FileDescriptor directory, byte[] name)
    {
        byte[] names = new byte[Abi.XATTR_LIST_MAX], value = new byte[Abi.XATTR_SIZE_MAX];
        int length = (int)Syscall.Check(FileEntries.ListAttributes(directory, name, names), "llistxattr");
        return string.Join(' ', Encoding.UTF8.GetString(names.AsSpan(0, length)).Split('\0', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal)
            .Where(attribute => !attribute.Contains("overlay.", StringComparison.Ordinal)) // of a driver that shows its directories
            .Select(attribute => $"{attribute}={Convert.ToHexString(value.AsSpan(0, (int)FileEntries.GetAttribute(directory, name, Encoding.UTF8.GetBytes(attribute + "\0"), value)))}"));
    }
}
