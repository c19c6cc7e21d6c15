using Isolation.Linux;

namespace Isolation.UnionFs;

/// <summary>
/// Reads branches as overlayfs would show them, without mounting anything: for the copy of a union, for its changes, and as
/// what the drivers are compared with. No link is followed, whatever is in the branches.
/// </summary>
/// <param name="branches">From top to bottom; they stay the caller's.</param>
internal sealed class MergedTree(IReadOnlyList<MergedTree.Branch> branches)
{
    /// <summary>How deep a tree may be: deeper ones are made by hostile programs alone, and each level holds descriptors.</summary>
    internal const int MostLevels = 1000;

    internal readonly record struct Branch(FileDescriptor Root, WhiteoutForm Form);

    internal IReadOnlyList<Branch> Branches { get; } = branches;

    /// <summary>The root, which the caller disposes.</summary>
    internal MergedDirectory OpenRoot()
    {
        List<(int, FileDescriptor)> parts = [];
        try
        {
            for (int i = 0; i < Branches.Count; i++) parts.Add((i, OpenDirectory(Branches[i].Root, ".\0"u8, "")));
            return new MergedDirectory(this, "", parts);
        }
        catch
        {
            foreach ((_, FileDescriptor part) in parts) part.Dispose();
            throw;
        }
    }

    /// <summary>
    /// The directories that a path leads to in the branches from one on downwards, for a directory that was renamed
    /// (overlayfs's redirect). Opened, and the caller's; none where there is no such directory.
    /// </summary>
    internal List<(int Branch, FileDescriptor Directory)> Resolve(int firstBranch, IEnumerable<byte[]> names)
    {
        List<(int, FileDescriptor)> parts = [];
        for (int i = firstBranch; i < Branches.Count; i++) parts.Add((i, OpenDirectory(Branches[i].Root, ".\0"u8, "")));
        MergedDirectory directory = new(this, "", parts);
        try
        {
            foreach (byte[] name in names)
            {
                MergedEntry? entry = directory.Find(name);
                MergedDirectory? below = entry is { IsDirectory: true } ? directory.Enter(entry) : null;
                directory.Dispose();
                if (below is null) return [];
                directory = below;
            }

            return directory.Release();
        }
        finally
        {
            directory.Dispose();
        }
    }

    internal static FileDescriptor OpenDirectory(FileDescriptor directory, ReadOnlySpan<byte> name, string path) =>
        new((int)Syscall.Check(FileEntries.Open(directory, name, Abi.O_RDONLY | TargetAbi.Current.O_DIRECTORY), "open", $"\"{path}/{FileName.Text(name)}\""));
}
