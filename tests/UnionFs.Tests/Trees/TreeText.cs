using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Isolation.Linux;

namespace Isolation.UnionFs.Tests;

/// <summary>A tree in words, to be compared: all that is kept of a file but its times.</summary>
internal static class TreeText
{
    internal static string Of(string directory)
    {
        using FileDescriptor root = FileDescriptor.Open(directory, Abi.O_RDONLY);
        return Of(new MergedTree([new(root, WhiteoutForm.Overlay)]));
    }

    internal static string Of(MergedTree tree, bool withTimes = false)
    {
        StringBuilder text = new();
        using MergedDirectory root = tree.OpenRoot();
        Add(text, root, "", withTimes);
        return text.ToString();
    }

    private static void Add(StringBuilder text, MergedDirectory directory, string path, bool withTimes)
    {
        byte[] buffer = new byte[Abi.XATTR_LIST_MAX];
        foreach (MergedEntry entry in directory.Read())
        {
            FileStatus status = entry.Status;
            string name = $"{path}/{Convert.ToHexString(entry.Name.AsSpan(0, entry.Name.Length - 1))}";
            text.Append(CultureInfo.InvariantCulture, $"{name} {status.Type} {Convert.ToString(status.Mode, 8)} {status.Uid}:{status.Gid} {status.RawDevice}");
            if (withTimes) text.Append(CultureInfo.InvariantCulture, $" {status.Modified}");
            foreach (byte[] attribute in TreeFiles.AttributesOf(entry, buffer).OrderBy(one => one, NameComparer.Instance))
                text.Append(CultureInfo.InvariantCulture, $" {FileName.Text(attribute)}={Convert.ToHexString(TreeFiles.AttributeOf(entry, attribute, buffer))}");
            if (status.Type == FileType.SymbolicLink) text.Append(CultureInfo.InvariantCulture, $" {Convert.ToHexString(TreeFiles.TargetOf(entry))}");
            if (status.Type == FileType.Regular)
            {
                using FileDescriptor file = TreeFiles.OpenFile(entry);
                byte[] content = new byte[status.Size];
                Descriptors.ReadAt(file, content, 0);
                text.Append(CultureInfo.InvariantCulture, $" {status.Size} {Convert.ToHexString(SHA256.HashData(content))}");
            }

            text.Append('\n');
            if (!entry.IsDirectory) continue;
            using MergedDirectory below = directory.Enter(entry);
            Add(text, below, name, withTimes);
        }
    }
}
