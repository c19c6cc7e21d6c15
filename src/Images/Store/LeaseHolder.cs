using System.Globalization;
using Isolation.Linux;

namespace Isolation.Images;

/// <summary>A process that a lease is for, as its file names it: <c>process PID START PIDNS TIMENS BOOT</c>.</summary>
internal readonly record struct LeaseHolder(int ProcessId, ulong StartTime, HostScope Scope)
{
    private const string Word = "process";

    /// <param name="processId">A process that nobody has reaped.</param>
    internal static LeaseHolder Of(int processId) => new(processId, ProcessStartTime.Read(processId) ?? 0, HostScope.Current);

    /// <summary>Null for what is none.</summary>
    internal static LeaseHolder? Parse(string line) =>
        line.Split(' ') is [Word, var pid, var start, var pidNamespace, var timeNamespace, var boot]
        && int.TryParse(pid, NumberStyles.None, CultureInfo.InvariantCulture, out int processId) && Number(start) is { } startTime
        && Number(pidNamespace) is { } pids && Number(timeNamespace) is { } times ? new(processId, startTime, new(boot, pids, times)) : null;

    /// <summary>Whether it may still run. Of one in another namespace nobody can tell here, as long as the machine runs.</summary>
    internal bool MayLive
    {
        get
        {
            HostScope here = HostScope.Current;
            if (Scope.Boot != here.Boot) return false;
            if (!Scope.SharesNamespaces(here)) return true;
            using PidDescriptor? process = ProcessStartTime.Open(ProcessId, StartTime);
            return process is not null;
        }
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Word} {ProcessId} {StartTime} {Scope.PidNamespace} {Scope.TimeNamespace} {Scope.Boot}");

    private static ulong? Number(string word) => ulong.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out ulong number) ? number : null;
}
