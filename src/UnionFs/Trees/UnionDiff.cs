using Isolation.Linux;

namespace Isolation.UnionFs;

/// <summary>
/// The changes of a writable branch. The same for every driver: what the branches show without it is compared with what they
/// show with it, and only where it has something.
/// </summary>
internal static class UnionDiff
{
    internal static IEnumerable<UnionChange> Of(UnionSpec spec, UnionWritable? writable, CancellationToken cancellationToken)
    {
        if (writable is null) throw OnlyRead();
        return Walk(spec, writable, cancellationToken);
    }

    internal static UnionFsException OnlyRead() =>
        new(UnionFsErrorReason.NotSupported, "Cannot tell the changes of a union that is only read", remedy: "Changes are those of a writable branch.");

    private static IEnumerable<UnionChange> Walk(UnionSpec spec, UnionWritable writable, CancellationToken cancellationToken)
    {
        using OpenedBranches opened = OpenedBranches.Open(spec.Lower);
        MergedTree before = new([.. opened.FromTop(LowerFormBeneath(writable.Form))]);
        foreach (UnionChange change in new DiffWalk(before, After(writable, opened), writable, cancellationToken).Run()) yield return change;
    }

    /// <summary>What is seen with the writable branch.</summary>
    internal static MergedTree After(UnionWritable writable, OpenedBranches lower) =>
        new(writable.IsWhole ? [new(writable.Content, WhiteoutForm.Overlay)] : [new(writable.Content, writable.Form), .. lower.FromTop(LowerFormBeneath(writable.Form))]);

    // AUFS reads its own form alone; the others are given overlayfs's.
    private static WhiteoutForm LowerFormBeneath(WhiteoutForm form) => form == WhiteoutForm.Aufs ? WhiteoutForm.Aufs : WhiteoutForm.Overlay;
}
