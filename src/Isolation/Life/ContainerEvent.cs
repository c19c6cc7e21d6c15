namespace Isolation;

/// <summary>Something that happened to a container, or to a further program in one. Immutable.</summary>
public readonly record struct ContainerEvent
{
    /// <summary>
    /// The events of one container, or of one further program, are numbered from 1. A number that is left out is of an
    /// event that was dropped because nobody had read it in time.
    /// </summary>
    public long Sequence { get; internal init; }

    /// <summary>What happened.</summary>
    public ContainerEventKind Kind { get; internal init; }

    /// <summary>The container's <see cref="Container.Id"/>.</summary>
    public string Container { get; internal init; }

    /// <summary>The id of the process that it happened to, as the calling process sees it.</summary>
    public int ProcessId { get; internal init; }

    /// <summary>When it was noticed, in UTC.</summary>
    public DateTimeOffset Time { get; internal init; }

    /// <summary>Why the program ended; null as long as it has not.</summary>
    public ContainerOutcome? Outcome { get; internal init; }

    /// <summary>The exit code of a program that has exited, 0 to 255.</summary>
    public int? ExitCode { get; internal init; }

    /// <summary>The signal that ended the program, or is sent to it to stop it (signal(7)).</summary>
    public int? Signal { get; internal init; }
}
