using System.Globalization;
using System.Text;
using Isolation.Linux;

namespace Isolation.UnionFs;

/// <summary>
/// The options of AUFS (aufs.5, "MOUNT OPTIONS", "BRANCH SYNTAX") as text. Pure: no kernel of today has it, so the strings are what
/// is tested. A branch is <c>PATH=PERMISSION</c>; branches are separated by colons, options by commas, and neither can be
/// escaped.
/// </summary>
internal static class AufsOptions
{
    /// <summary>AUFS_BRANCH_MAX of the most common build (CONFIG_AUFS_BRANCH_MAX_127), the writable branch included.</summary>
    internal const int MostBranches = 127;

    // mount(2) copies one page; its NUL is one byte of it.
    private const int MostBytes = 4095;

    /// <summary>
    /// The data of the first mount, and of remounts that append what did not fit, in their order: a branch that is appended is
    /// beneath those before.
    /// </summary>
    /// <param name="writable">The path of the writable branch, or null.</param>
    /// <param name="lower">Paths and whether each lies on a file system that nobody can write, from top to bottom.</param>
    /// <param name="translation">Where AUFS keeps its table of inode numbers (<c>xino</c>); its default is a file in the writable branch.</param>
    /// <exception cref="UnionFsException">A path holds a colon or a comma, there are too many branches, or one is too long.</exception>
    internal static IReadOnlyList<string> Build(string? writable, IReadOnlyList<(string Path, bool IsReadOnly)> lower, string? translation = null)
    {
        int count = lower.Count + (writable is null ? 0 : 1);
        if (count > MostBranches) throw new UnionFsException(UnionFsErrorReason.TooManyBranches, $"AUFS unites at most {MostBranches} branches, and {count} are given", remedy: "Merge some into one, or use another driver.");
        List<string> branches = [];
        if (writable is not null) branches.Add(Branch(writable, "rw"));
        // rr: "real readonly", which AUFS does not watch for changes behind its back. +wh: whiteouts in it count.
        foreach ((string path, bool isReadOnly) in lower) branches.Add(Branch(path, isReadOnly ? "rr+wh" : "ro+wh"));

        // dirperm1: the mode of the topmost directory decides, as with overlayfs (aufs.5, "dirperm1").
        string tail = ",dirperm1" + (translation is null ? "" : $",xino={Plain(translation)}");
        List<string> all = [];
        StringBuilder first = new("br:");
        int next = 0;
        for (; next < branches.Count; next++)
        {
            string separator = next == 0 ? "" : ":";
            if (Encoding.UTF8.GetByteCount(first.ToString()) + Encoding.UTF8.GetByteCount(separator + branches[next] + tail) > MostBytes) break;
            first.Append(separator).Append(branches[next]);
        }

        if (next == 0) throw TooLong(branches[0]);
        all.Add(first + tail);
        for (; next < branches.Count; next++)
        {
            string append = $"append:{branches[next]}";
            if (Encoding.UTF8.GetByteCount(append) > MostBytes) throw TooLong(branches[next]);
            all.Add(append);
        }

        return all;
    }

    /// <summary>Whether a file system is one that nobody can write (aufs.5, "rr").</summary>
    internal static bool IsReadOnly(long magic) => magic is Abi.SQUASHFS_MAGIC or Abi.EROFS_SUPER_MAGIC_V1 or Abi.ISOFS_SUPER_MAGIC or Abi.CRAMFS_MAGIC;

    private static string Branch(string path, string permission) => string.Create(CultureInfo.InvariantCulture, $"{Plain(path)}={permission}");

    // '=' is looked for from the end, so one in a path is no harm.
    private static string Plain(string path) => path.AsSpan().ContainsAny(':', ',')
        ? throw new UnionFsException(UnionFsErrorReason.NotSupported, $"AUFS cannot be given the path \"{path}\": it reads a colon and a comma as separators", remedy: "Use a path without them, or another driver.")
        : path;

    private static UnionFsException TooLong(string branch) =>
        new(UnionFsErrorReason.NotSupported, $"The branch \"{branch}\" does not fit into a page of options", remedy: "Use shorter paths.");
}
