using Isolation.Linux;

namespace Isolation.UnionFs;

/// <summary>An errno put into the words of this package.</summary>
internal static class UnionFailure
{
    internal static UnionFsException Of(string what, LinuxException cause, UnionFsErrorReason otherwise) => new(ReasonOf(cause.Errno, otherwise), $"{what}: {cause.Message}", cause);

    private static UnionFsErrorReason ReasonOf(Errno errno, UnionFsErrorReason otherwise) => errno switch
    {
        Errno.EPERM or Errno.EACCES => UnionFsErrorReason.NotPermitted,
        Errno.ENOSPC or Errno.EDQUOT => UnionFsErrorReason.NoSpace,
        Errno.ELOOP => UnionFsErrorReason.BranchesOverlap,
        _ => otherwise,
    };
}
