using System.Globalization;

namespace Isolation;

/// <summary>
/// Where a container's namespace comes from: a new one (the default of every kind), the host's (the one of the calling
/// process), or one that exists. Immutable and safe to share.
/// </summary>
public sealed class NamespaceSource
{
    private NamespaceSource(string description) => Description = description;

    /// <summary>A namespace of the container's own.</summary>
    public static NamespaceSource New { get; } = new("new");

    /// <summary>The namespace of the calling process: nothing of this kind is isolated.</summary>
    public static NamespaceSource Host { get; } = new("host");

    internal string? Path { get; private init; }

    internal int ProcessId { get; private init; }

    /// <summary>Which of those that have had the number; null for whoever has it when it is joined.</summary>
    internal ulong? StartTime { get; private init; }

    internal Container? Container { get; private init; }

    internal string Description { get; }

    internal bool IsJoined => Path is not null || ProcessId != 0 || Container is not null;

    /// <summary>Whether one descriptor leads to both: they are of one process. A path leads to one namespace only.</summary>
    internal bool HasSameOwner(NamespaceSource other) =>
        (Container is not null && ReferenceEquals(Container.Launch, other.Container?.Launch)) || (ProcessId != 0 && ProcessId == other.ProcessId);

    /// <summary>Joins the namespace that a path names, such as <c>/proc/1234/ns/net</c> or <c>/run/netns/blue</c>.</summary>
    /// <param name="path">An absolute path; opened when the container starts.</param>
    public static NamespaceSource FromPath(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (!path.StartsWith('/')) throw new ArgumentException($"The namespace path '{path}' is not absolute.", nameof(path));
        return new("path " + path) { Path = path };
    }

    /// <summary>Joins the namespace of a running process.</summary>
    /// <param name="processId">A process id as the calling process sees it.</param>
    public static NamespaceSource OfProcess(int processId)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(processId);
        return new("process " + processId.ToString(CultureInfo.InvariantCulture)) { ProcessId = processId };
    }

    /// <summary>The same, and of no other that has the number later.</summary>
    /// <param name="processId">As above.</param>
    /// <param name="startTime">As <see cref="Linux.ProcessStartTime"/> has it.</param>
    internal static NamespaceSource OfProcess(int processId, ulong startTime) => new(OfProcess(processId).Description) { ProcessId = processId, StartTime = startTime };

    /// <summary>Joins the namespace of a container that runs when this one starts.</summary>
    public static NamespaceSource Of(Container container)
    {
        ArgumentNullException.ThrowIfNull(container);
        return new("container " + container.Id) { Container = container };
    }

    /// <inheritdoc/>
    public override string ToString() => Description;
}
