using System.Globalization;
using Isolation.Linux;

namespace Isolation.Nested;

/// <summary>Where an operation is cut: before each call that changes a store, or before those that make a change last.</summary>
internal static class StoreCuts
{
    private static readonly HashSet<SystemCall> Steps = [SystemCall.flock, SystemCall.fsync, SystemCall.syncfs, SystemCall.renameat2, SystemCall.unlinkat];

    private static readonly HashSet<SystemCall> Calls =
    [
        .. Steps, SystemCall.openat, SystemCall.mkdirat, SystemCall.write, SystemCall.linkat, SystemCall.symlinkat, SystemCall.mknodat, SystemCall.fchmod, SystemCall.fchmodat,
        SystemCall.fchown, SystemCall.fchownat, SystemCall.utimensat, SystemCall.ftruncate, SystemCall.fsetxattr, SystemCall.lsetxattr,
    ];

    /// <summary>Asks at the n-th of the calls what is to come of it, and counts them.</summary>
    internal static Func<int> At(bool all, int number, Func<SystemCall, nint> cut)
    {
        int made = 0;
        Syscall.Failpoint = call => (all ? Calls : Steps).Contains(call) && Interlocked.Increment(ref made) == number ? cut(call) : 0;
        return () =>
        {
            Syscall.Failpoint = null;
            return made;
        };
    }

    /// <summary>How many there are when nothing is cut.</summary>
    internal static async Task<int> CountAsync(bool all, Func<Task> run)
    {
        Func<int> count = At(all, 0, _ => 0);
        await run();
        return count();
    }

    /// <summary>Each of them and one beyond the last, or as many as are wanted, evenly; and the last two always, where what was done becomes visible.</summary>
    internal static int[] Numbers(int count, int most) => count < most ? [.. Enumerable.Range(1, count + 1)]
        : [.. Enumerable.Range(0, most - 2).Select(i => 1 + (int)((long)i * count / (most - 2))).Append(count).Append(count + 1).Distinct()];

    internal static void Report(string operation, int number, string outcome, string left) =>
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{operation} {number}\t{outcome.ReplaceLineEndings(" ").Replace('\t', ' ')}\t{left.Replace('\t', ' ')}"));
}
