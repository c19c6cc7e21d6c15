namespace Isolation.UnionFs;

/// <summary>
/// Makes one tree of several directories: read-only branches, and a writable one that takes all changes. The same contract
/// whoever does it. Safe from any thread.
/// </summary>
public interface IUnionFileSystem
{
    /// <summary>Who does it.</summary>
    UnionDriver Driver { get; }

    /// <summary>What it can do on this machine, for this user.</summary>
    UnionLimits Limits { get; }

    /// <summary>How the read-only branches must say what is gone; <see cref="WhiteoutTree.Convert"/> makes one form of another.</summary>
    WhiteoutForm LowerForm { get; }

    /// <summary>
    /// Unites branches. All that can be told of the spec without making anything is told first, and what was made before
    /// a failure is taken away again.
    /// </summary>
    /// <param name="spec">What of.</param>
    /// <param name="cancellationToken">Ends copying, and waiting for a program.</param>
    /// <returns>The mounted union, which the caller disposes.</returns>
    /// <exception cref="UnionFsException">It cannot be made.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    Task<UnionMount> MountAsync(UnionSpec spec, CancellationToken cancellationToken = default);

    /// <summary>
    /// What the writable branch changes of the read-only ones, mounted or not: parents before what is in them, otherwise
    /// in the order of the bytes of their names. Of what is gone only the top is told. The root itself is left out. Read
    /// as it is asked for; while somebody writes, what is told may be of before or after.
    /// </summary>
    /// <param name="spec">As it was mounted.</param>
    /// <param name="cancellationToken">Looked at for each file.</param>
    /// <exception cref="UnionFsException">A branch cannot be read, or the spec has no writable branch, or one in a tmpfs, which only the mount knows.</exception>
    IEnumerable<UnionChange> Diff(UnionSpec spec, CancellationToken cancellationToken = default);
}
