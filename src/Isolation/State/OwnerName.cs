using System.Globalization;
using Isolation.Linux;

namespace Isolation;

/// <summary>
/// The name of an owner's directory: <c>pid-start-pidns-timens-random</c>. It tells whose the directory is even while
/// there is nothing in it. Who is alive is decided by its lock; the name only tells whether a lock is worth waiting for.
/// </summary>
internal readonly record struct OwnerName(int ProcessId, ulong StartTime, ulong PidNamespace, ulong TimeNamespace, string Random)
{
    internal static OwnerName New() => new(
        Environment.ProcessId,
        ProcessStartTime.Read(Environment.ProcessId) ?? 0,
        HostScope.Current.PidNamespace,
        HostScope.Current.TimeNamespace,
        RandomName.Hex(8));

    /// <summary>Null for what is no such name.</summary>
    internal static OwnerName? Parse(string name)
    {
        string[] words = name.Split('-');
        return words.Length == 5 && words[4].Length == 8
            && int.TryParse(words[0], NumberStyles.None, CultureInfo.InvariantCulture, out int processId) && Number(words[1]) is { } start
            && Number(words[2]) is { } pidNamespace && Number(words[3]) is { } timeNamespace
                ? new(processId, start, pidNamespace, timeNamespace, words[4])
                : null;
    }

    /// <summary>Whether the process is certainly gone. One of another namespace cannot be told of.</summary>
    internal bool IsGone => PidNamespace == HostScope.Current.PidNamespace && TimeNamespace == HostScope.Current.TimeNamespace
        && !ProcessRemover.IsAlive((ProcessId, StartTime));

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{ProcessId}-{StartTime}-{PidNamespace}-{TimeNamespace}-{Random}");

    private static ulong? Number(string word) => ulong.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out ulong number) ? number : null;
}
