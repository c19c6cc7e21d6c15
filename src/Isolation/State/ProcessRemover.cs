using System.Globalization;
using Isolation.Linux;

namespace Isolation;

/// <summary>A process, by its number and its start time: only the two together name it.</summary>
internal sealed class ProcessRemover : IResourceRemover
{
    private const string Name = "process", ProcessIdKey = "pid", StartTimeKey = "start";

    public string Kind => Name;

    internal static RecordedResource Resource(int processId, ulong startTime) => new()
    {
        Kind = Name,
        Parameters = new Dictionary<string, string>
        {
            [ProcessIdKey] = processId.ToString(CultureInfo.InvariantCulture),
            [StartTimeKey] = startTime.ToString(CultureInfo.InvariantCulture),
        },
    };

    /// <summary>Number and start time; null where the thing is no process.</summary>
    internal static (int ProcessId, ulong StartTime)? Read(RecordedResource resource) =>
        resource.Kind == Name
        && resource.Parameters.TryGetValue(ProcessIdKey, out string? pid) && int.TryParse(pid, NumberStyles.None, CultureInfo.InvariantCulture, out int processId) && processId > 1
        && resource.Parameters.TryGetValue(StartTimeKey, out string? start) && ulong.TryParse(start, NumberStyles.None, CultureInfo.InvariantCulture, out ulong startTime)
            ? (processId, startTime)
            : null;

    /// <summary>Whether the very process runs.</summary>
    internal static bool IsAlive((int ProcessId, ulong StartTime) process)
    {
        using PidDescriptor? descriptor = ProcessStartTime.Open(process.ProcessId, process.StartTime);
        return descriptor is not null;
    }

    public bool IsValid(RecordedResource resource) => Read(resource) is not null;

    public IRemoval? Begin(RecordedResource resource, bool sameBoot)
    {
        (int processId, ulong startTime) = Read(resource)!.Value;
        PidDescriptor? process = sameBoot ? ProcessStartTime.Open(processId, startTime) : null;
        if (process is null) return null;
        try
        {
            process.SendSignal(Abi.SIGKILL);
            return new Removal(process, processId);
        }
        catch
        {
            process.Dispose();
            throw;
        }
    }

    private sealed class Removal(PidDescriptor process, int processId) : IRemoval
    {
        public string? Finish(TimeSpan limit) => process.WaitForEnd(limit)
            ? null
            : $"process {processId} was killed and has not ended: it waits in the kernel, as for a disk or a server that does not answer";

        public void Dispose() => process.Dispose();
    }
}
