using Isolation.Linux;

namespace Isolation.UnionFs;

/// <summary>The changes in a writable directory, mounted or not, for the drivers that keep changes alone.</summary>
internal static class DirectoryDiff
{
    internal static IEnumerable<UnionChange> Of(UnionSpec spec, WhiteoutForm form, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(spec);
        return Walk(spec, form, cancellationToken);
    }

    private static IEnumerable<UnionChange> Walk(UnionSpec spec, WhiteoutForm form, CancellationToken cancellationToken)
    {
        if (spec.Writable is null) throw UnionDiff.OnlyRead();
        using FileDescriptor directory = WritableDirectory.Open(spec.Writable);
        nint result = FileEntries.Open(directory, FileName.Of(WritableDirectory.Upper), Abi.O_RDONLY | TargetAbi.Current.O_DIRECTORY);
        if (Syscall.IsError(result))
        {
            throw new UnionFsException(UnionFsErrorReason.WritableUnusable, $"\"{spec.Writable}\" holds no writable branch", Syscall.Failure(result, "openat", $"\"{WritableDirectory.Upper}\""),
                "It was never mounted, or its branch is in a tmpfs, which the mount's own Diff knows.");
        }

        using UnionWritable writable = new(new FileDescriptor((int)result), form, IsWhole: false);
        foreach (UnionChange change in UnionDiff.Of(spec, writable, cancellationToken)) yield return change;
    }
}
