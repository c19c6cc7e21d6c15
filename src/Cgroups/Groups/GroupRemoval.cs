using Isolation.Linux;

namespace Isolation.Cgroups;

/// <summary>Removes groups with all that is beneath them.</summary>
internal static class GroupRemoval
{
    /// <summary>Those that a process made inside are removed with it. A group that is gone already is none.</summary>
    /// <returns>0, or -errno: EBUSY while processes are in it, or on their way out.</returns>
    internal static nint TryRemove(GroupDirectory parent, string name)
    {
        nint result = DirectoryFiles.TryDeleteDirectory(parent.Directory, name);
        if (!Syscall.Is(result, Errno.EBUSY)) return Syscall.Is(result, Errno.ENOENT) ? 0 : result;
        try
        {
            using GroupDirectory group = parent.Child(name);
            foreach (string child in group.Children()) TryRemove(group, child);
        }
        catch (CgroupException)
        {
            // Gone meanwhile, as is to be seen at once.
        }

        result = DirectoryFiles.TryDeleteDirectory(parent.Directory, name);
        return Syscall.Is(result, Errno.ENOENT) ? 0 : result;
    }

    /// <summary>Tries until it works: the kernel lets go of a group some time after its last process has ended.</summary>
    /// <exception cref="CgroupException">It still has processes when the patience is at its end.</exception>
    internal static async Task RemoveAsync(GroupDirectory parent, string name, TimeSpan patience, CancellationToken cancellationToken)
    {
        long start = System.Diagnostics.Stopwatch.GetTimestamp();
        for (int delay = 1; ; delay = Math.Min(delay * 2, 50))
        {
            nint result = TryRemove(parent, name);
            if (result == 0) return;
            if (!Syscall.Is(result, Errno.EBUSY) || System.Diagnostics.Stopwatch.GetElapsedTime(start) > patience)
                throw GroupFailures.Of(Syscall.Failure(result, "unlinkat", $"\"{parent.Path}/{name}\", AT_REMOVEDIR"), $"remove the control group '{parent.Path}/{name}'");
            await Task.Delay(delay, cancellationToken).ConfigureAwait(false);
        }
    }
}
