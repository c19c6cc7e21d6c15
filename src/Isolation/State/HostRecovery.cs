namespace Isolation;

/// <summary>What the opening of a host found of processes that had died, and did about it. Immutable.</summary>
public sealed class HostRecovery
{
    internal HostRecovery(IReadOnlyList<ContainerRecord> removed, int processesKilled, IReadOnlyList<RecoveryFinding> setAside, IReadOnlyList<RecoveryFinding> left)
    {
        Removed = removed;
        ProcessesKilled = processesKilled;
        SetAside = setAside;
        Left = left;
    }

    /// <summary>Containers whose owner was dead and of which nothing is left now.</summary>
    public IReadOnlyList<ContainerRecord> Removed { get; }

    /// <summary>How many processes of theirs still ran and were killed.</summary>
    public int ProcessesKilled { get; }

    /// <summary>Files that could not be understood, damaged or of a newer version, and where they are now. Nothing removes them.</summary>
    public IReadOnlyList<RecoveryFinding> SetAside { get; }

    /// <summary>What could not be removed, and is tried again when a host is opened the next time.</summary>
    public IReadOnlyList<RecoveryFinding> Left { get; }
}

/// <summary>A file of the state directory, and what is the matter with it.</summary>
/// <param name="Path">Where it is.</param>
/// <param name="Reason">In words.</param>
public sealed record RecoveryFinding(string Path, string Reason);
