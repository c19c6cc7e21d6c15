using System.Collections.Immutable;
using Isolation.Linux;

namespace Isolation.UnionFs;

/// <summary>The read-only branches by descriptor: what was checked is what is mounted, whatever their paths mean by then.</summary>
internal sealed class OpenedBranches : IDisposable
{
    private readonly List<FileDescriptor> _branches = [];

    /// <summary>From bottom to top.</summary>
    internal IReadOnlyList<FileDescriptor> FromBottom => _branches;

    /// <exception cref="UnionFsException">A branch is no directory, or there twice.</exception>
    internal static OpenedBranches Open(ImmutableArray<string> paths)
    {
        if (paths.IsDefaultOrEmpty) throw new ArgumentException("A union needs at least one lower branch.", nameof(paths));
        OpenedBranches opened = new();
        try
        {
            Dictionary<(ulong, (uint, uint)), string> seen = [];
            foreach (string path in paths)
            {
                FileDescriptor branch = OpenOne(path);
                opened._branches.Add(branch);
                FileStatus status = FileStatus.Of(branch);
                if (seen.TryAdd((status.Inode, status.Device), path)) continue;
                throw new UnionFsException(UnionFsErrorReason.BranchesOverlap, $"The branches \"{seen[(status.Inode, status.Device)]}\" and \"{path}\" are the same directory", remedy: "Give each branch once.");
            }

            return opened;
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    internal static FileDescriptor OpenOne(string path)
    {
        if (string.IsNullOrEmpty(path)) throw new ArgumentException("A branch has an empty path.", nameof(path));
        try
        {
            return FileDescriptor.Open(path, Abi.O_PATH | TargetAbi.Current.O_DIRECTORY);
        }
        catch (LinuxException exception)
        {
            throw new UnionFsException(UnionFsErrorReason.BranchUnusable, $"The branch \"{path}\" cannot be used: {exception.Failure}", exception, "It must be a directory that is there.");
        }
    }

    internal IEnumerable<MergedTree.Branch> FromTop(WhiteoutForm form) => _branches.AsEnumerable().Reverse().Select(branch => new MergedTree.Branch(branch, form));

    public void Dispose()
    {
        foreach (FileDescriptor branch in _branches) branch.Dispose();
    }
}
