using Isolation.Linux;

namespace Isolation;

/// <summary>Reads who runs what, without a lock on the whole: what ends meanwhile may be listed or not.</summary>
internal static class ContainerListing
{
    internal static IReadOnlyList<ContainerRecord> Read(StateDirectory state, IReadOnlyList<OciState> detached, CancellationToken cancellationToken)
    {
        List<ContainerRecord> records = [];
        foreach (string owner in state.OwnerNames())
        {
            using FileDescriptor? directory = state.TryOpenOwner(owner);
            if (directory is null) continue;
            bool isDead = FileLock.TryTake(directory, shared: true);
            if (isDead) FileLock.Release(directory);
            foreach (string file in DirectoryFiles.Names(directory))
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (RecordReader.Read(directory, file) is { Condition: RecordCondition.Complete } content && Describe(content, isDead, detached) is { } record) records.Add(record);
            }
        }

        return records;
    }

    private static ContainerRecord? Describe(RecordContent content, bool isDead, IReadOnlyList<OciState> detached)
    {
        RecordHeader header = content.Header!;
        if (header.Boot != HostScope.Current.Boot) return null;

        // Of another pid namespace nothing is known but that its owner lives, who would remove what has ended.
        int? recorded = content.Resources.Count == 0 ? null : ProcessRemover.Read(content.Resources[^1])?.ProcessId;
        if (!header.Scope.SharesNamespaces(HostScope.Current)) return isDead ? null : new(header, recorded, isOrphaned: false);
        if (Recovery.LiveProcess(content) is { } process) return new(header, process, isDead) { DetachedId = detached.FirstOrDefault(state => state.ProcessId == process)?.Id };
        return recorded is null && !isDead ? new(header, processId: null, isOrphaned: false) : null;
    }
}
