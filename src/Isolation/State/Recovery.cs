using System.Diagnostics;
using Isolation.Cgroups;
using Isolation.Linux;

namespace Isolation;

/// <summary>
/// Removes what dead owners have left. Each is taken over by its lock, so no two do the same; and each step can be done
/// again, so one who is killed half-way is followed by another who begins with what is there.
/// </summary>
/// <param name="state">Where to look.</param>
/// <param name="onStep">Called before each change, for tests.</param>
internal sealed class Recovery(StateDirectory state, Action<string>? onStep) : IDisposable
{
    private static readonly TimeSpan RemovalLimit = TimeSpan.FromSeconds(10), LockLimit = TimeSpan.FromSeconds(5);
    private readonly List<(string Name, FileDescriptor Directory)> _claimed = [];
    private readonly List<(string Name, FileDescriptor Directory)> _busy = [];
    private readonly List<RecordRemoval> _removals = [];
    private readonly List<ContainerRecord> _removed = [];
    private readonly List<RecoveryFinding> _setAside = [];
    private readonly List<RecoveryFinding> _left = [];
    private int _killed;

    /// <summary>Takes over whoever is dead. To be called under the lock of the state directory, and does not wait.</summary>
    internal void Claim()
    {
        foreach (string name in state.OwnerNames())
        {
            FileDescriptor? directory = state.TryOpenOwner(name);
            if (directory is null) continue;
            if (FileLock.TryTake(directory)) _claimed.Add((name, directory));
            else if (OwnerName.Parse(name) is { IsGone: true }) _busy.Add((name, directory));
            else directory.Dispose();
        }
    }

    internal HostRecovery Run(CancellationToken cancellationToken)
    {
        // A lock that is held though its owner is gone is held by a child that its owner was just making, for
        // milliseconds; or by somebody who is recovering, and then there will be nothing left to do.
        foreach ((string name, FileDescriptor directory) in _busy)
        {
            if (StateDirectory.TryTakeWithin(directory, LockLimit, cancellationToken)) _claimed.Add((name, directory));
            else _left.Add(new(state.PathOf(StateDirectory.Owners, name), "its owner is dead, and yet somebody holds its lock: another process that recovers, or one that was forked and did not execute"));
        }

        // One whose name is gone was removed by another between being opened and being locked here.
        foreach ((string name, FileDescriptor directory) in _claimed)
            if (state.IsOwner(name, directory)) Begin(name, directory, cancellationToken);
        long start = Stopwatch.GetTimestamp();
        foreach (RecordRemoval removal in _removals)
        {
            TimeSpan rest = RemovalLimit - Stopwatch.GetElapsedTime(start);
            Finish(removal, rest > TimeSpan.Zero ? rest : TimeSpan.Zero);
        }

        foreach ((string name, FileDescriptor directory) in _claimed)
        {
            // If a record is left, the kernel says ENOTEMPTY.
            onStep?.Invoke("remove the owner");
            if (state.IsOwner(name, directory)) state.TryDeleteOwner(name);
        }

        SweepClaims();
        return new(_removed, _killed, _setAside, _left);
    }

    public void Dispose()
    {
        foreach (RecordRemoval removal in _removals) removal.Dispose();
        foreach ((_, FileDescriptor directory) in _claimed.Concat(_busy)) FileLock.ReleaseAndClose(directory);
    }

    private void SweepClaims()
    {
        onStep?.Invoke("remove claims");
        try
        {
            ClaimDirectory.SweepAll();
        }
        catch (LinuxException exception)
        {
            _left.Add(new(ClaimDirectory.Claims, exception.Message));
        }
    }

    /// <summary>Looks at each record of an owner, and kills what it names; nothing is waited for yet.</summary>
    private void Begin(string owner, FileDescriptor directory, CancellationToken cancellationToken)
    {
        foreach (string file in DirectoryFiles.Names(directory))
        {
            cancellationToken.ThrowIfCancellationRequested();
            string path = Path.Join(state.PathOf(StateDirectory.Owners, owner), file);
            try
            {
                RecordContent? content = RecordReader.Read(directory, file);
                switch (content?.Condition)
                {
                    case RecordCondition.Damaged or RecordCondition.Newer:
                        onStep?.Invoke("set a record aside");
                        _setAside.Add(new(state.SetAside(directory, file, $"{RandomName.Hex(8)}-{file}"), content.Problem!));
                        break;
                    case RecordCondition.Empty:
                        onStep?.Invoke("remove an empty record");
                        DirectoryFiles.TryDelete(directory, file);
                        break;
                    case RecordCondition.Complete:
                        Begin(directory, file, path, content);
                        break;
                }
            }
            catch (Exception exception) when (exception is LinuxException or CgroupException)
            {
                _left.Add(new(path, exception.Message));
            }
        }
    }

    private void Begin(FileDescriptor directory, string file, string path, RecordContent content)
    {
        RecordHeader header = content.Header!;
        bool sameBoot = header.Boot == HostScope.Current.Boot;
        if (sameBoot && !header.Scope.SharesNamespaces(HostScope.Current))
        {
            _left.Add(new(path, "it was written in another pid or time namespace, where process ids mean something else: open the state directory there"));
            return;
        }

        if (sameBoot && header.OutlivesHost && IsAlive(content)) return;
        RecordRemoval removal = new(directory, file, path, header);
        _removals.Add(removal);

        // Last made, first removed.
        foreach (RecordedResource resource in content.Resources.Reverse())
        {
            onStep?.Invoke("begin to remove a " + resource.Kind);
            if (ResourceRemovers.Of(resource).Begin(resource, sameBoot) is { } begun) removal.Begun.Add(begun);
        }

        removal.IsBegun = true;
        _killed += removal.Begun.Count;
    }

    private void Finish(RecordRemoval removal, TimeSpan limit)
    {
        if (!removal.IsBegun) return; // it is among what is left
        onStep?.Invoke("wait for what is being removed");
        foreach (IRemoval begun in removal.Begun)
        {
            if (begun.Finish(limit) is not { } remains) continue;
            _left.Add(new(removal.Path, remains));
            return;
        }

        onStep?.Invoke("remove a record");
        DirectoryFiles.TryDelete(removal.Directory, removal.File);
        _removed.Add(new(removal.Header, processId: null, isOrphaned: true));
    }

    internal static bool IsAlive(RecordContent content) => LiveProcess(content) is not null;

    /// <summary>The process that the container is now: its first may have made a successor.</summary>
    internal static int? LiveProcess(RecordContent content)
    {
        for (int i = content.Resources.Count - 1; i >= 0; i--)
            if (ProcessRemover.Read(content.Resources[i]) is { } process && ProcessRemover.IsAlive(process)) return process.ProcessId;
        return null;
    }

    private sealed class RecordRemoval(FileDescriptor directory, string file, string path, RecordHeader header) : IDisposable
    {
        internal FileDescriptor Directory { get; } = directory;

        internal string File { get; } = file;

        internal string Path { get; } = path;

        internal RecordHeader Header { get; } = header;

        internal List<IRemoval> Begun { get; } = [];

        internal bool IsBegun { get; set; }

        public void Dispose()
        {
            foreach (IRemoval removal in Begun) removal.Dispose();
        }
    }
}
