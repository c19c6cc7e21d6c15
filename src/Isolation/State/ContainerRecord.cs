namespace Isolation;

/// <summary>A container as its record tells of it. Immutable.</summary>
public sealed class ContainerRecord
{
    internal ContainerRecord(RecordHeader header, int? processId, bool isOrphaned)
    {
        Id = header.Id;
        ProcessId = processId;
        OwnerProcessId = header.Owner;
        UserId = header.User;
        StartedAt = header.Started;
        Command = header.Command;
        OutlivesHost = header.OutlivesHost;
        IsOrphaned = isOrphaned;
    }

    /// <summary>The container's id, as in <see cref="Container.Id"/>.</summary>
    public string Id { get; }

    /// <summary>Its first process, as its owner's pid namespace numbers it; null while it is being started.</summary>
    public int? ProcessId { get; }

    /// <summary>The process that started it, as its own pid namespace numbers it. It may have ended: see <see cref="IsOrphaned"/>.</summary>
    public int OwnerProcessId { get; }

    /// <summary>The effective user id of the process that started it.</summary>
    public uint UserId { get; }

    /// <summary>When it was started, by the clock of that time.</summary>
    public DateTimeOffset StartedAt { get; }

    /// <summary>The program and its arguments; of a long command the first 1024 characters, with "…" where it was cut.</summary>
    public IReadOnlyList<string> Command { get; }

    /// <summary>It was started with <see cref="ContainerBuilder.OutliveHost"/>.</summary>
    public bool OutlivesHost { get; }

    /// <summary>The process that started it has ended, and nobody waits for the container.</summary>
    public bool IsOrphaned { get; }

    /// <summary>The id of a detached container (<see cref="IsolationHost.AttachAsync"/>); null for any other.</summary>
    public string? DetachedId { get; internal init; }

    /// <inheritdoc/>
    public override string ToString() => $"{Id} {string.Join(' ', Command)}";
}
