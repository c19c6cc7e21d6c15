using Isolation.Linux;

namespace Isolation;

/// <summary>Why the state directory cannot be used, in the words that a user understands.</summary>
internal static class StateFailures
{
    private const string Elsewhere = "give another directory with IsolationHost.OpenAsync(path) and the builder's WithHost(host)";

    /// <summary>A record could not be made or added to; nothing else had been made yet.</summary>
    internal static ContainerException Unwritable(string path, LinuxException cause)
    {
        if (cause.Errno is Errno.EMFILE or Errno.ENFILE or Errno.ENOMEM) return LaunchFailures.Preparing(cause);
        string remedy = cause.Errno switch
        {
            Errno.ENOSPC or Errno.EDQUOT => $"make room (and inodes) on its file system, or {Elsewhere}",
            Errno.ENOENT => $"somebody has removed the directory while this process uses it; open it again, or {Elsewhere}",
            _ => $"it must stay writable for this process; else {Elsewhere}",
        };
        return new(ContainerErrorReason.StateUnavailable, $"Cannot record the container in '{path}', and nothing is made that is not recorded", cause, remedy);
    }

    internal static ContainerException NoDirectory(IEnumerable<(string Path, string Problem)> candidates) =>
        new(ContainerErrorReason.StateUnavailable,
            $"There is no directory to record containers in: {string.Join("; ", candidates.Select(candidate => $"'{candidate.Path}': {candidate.Problem}"))}", null, Elsewhere);

    internal static ContainerException Failed(string path, LinuxException cause) =>
        new(ContainerErrorReason.StateUnavailable, $"Cannot use the state directory '{path}'", cause, Elsewhere);

    internal static ContainerException Busy(string path, TimeSpan waited) =>
        new(ContainerErrorReason.StateUnavailable, $"The state directory '{path}' is locked, and was for {waited.TotalSeconds:0} seconds", null,
            $"a process that opens it holds the lock for moments only, so one must be stopped (/proc/locks names it): let it go on, or {Elsewhere}");
}
