using Isolation.Linux;

namespace Isolation.UnionFs;

/// <summary>One name of a merged directory.</summary>
/// <param name="Name">Ended by a NUL.</param>
/// <param name="Status">Of the file that is seen, in the topmost branch that has it.</param>
/// <param name="Holder">The directory of that branch in which it is; it belongs to the <see cref="MergedDirectory"/>.</param>
/// <param name="SourceName">Its name there.</param>
/// <param name="Parts">For a directory, the branches that are merged in it, from top to bottom.</param>
internal sealed record MergedEntry(byte[] Name, FileStatus Status, FileDescriptor Holder, byte[] SourceName, IReadOnlyList<MergedPart> Parts)
{
    internal bool IsDirectory => Status.Type == FileType.Directory;

    /// <summary>Whether both are one file, and as directories made of the same branches: then nothing beneath can differ.</summary>
    internal bool IsSameAs(MergedEntry other)
    {
        if (!Status.IsSameFile(other.Status) || Parts.Count != other.Parts.Count) return false;
        for (int i = 0; i < Parts.Count; i++)
            if (!Parts[i].Status.IsSameFile(other.Parts[i].Status)) return false;
        return true;
    }
}

/// <summary>A directory of one branch that takes part in a merged one, by where it is.</summary>
/// <param name="Branch">Which branch, counted from the top.</param>
/// <param name="Holder">The directory above it.</param>
/// <param name="Name">Its name there, ended by a NUL.</param>
/// <param name="Status">What it is.</param>
internal readonly record struct MergedPart(int Branch, FileDescriptor Holder, byte[] Name, FileStatus Status);
