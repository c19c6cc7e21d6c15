namespace Isolation;

/// <summary>Where a program's standard output or error goes. Immutable and safe to share, but for the one of a stream.</summary>
public abstract record OutputTarget
{
    private protected OutputTarget()
    {
    }

    /// <summary>Whether the program is given a pipe that this library made, and not a file that is somebody else's.</summary>
    internal virtual bool IsOwnPipe => true;

    /// <summary>Kept for the result, up to the limit of <see cref="ProgramBuilder{TSelf}.WithOutputLimit"/>. The default.</summary>
    public static OutputTarget Capture { get; } = new CapturedTarget();

    /// <summary>A pipe, read by <see cref="ContainerProcess.StandardOutput"/> or <see cref="ContainerProcess.StandardError"/>. A program that writes more than the pipe holds waits for the reader.</summary>
    public static OutputTarget Pipe { get; } = new PipeTarget();

    /// <summary>Nowhere.</summary>
    public static OutputTarget Discard { get; } = new DiscardedTarget();

    /// <summary>The same stream of the calling process.</summary>
    public static OutputTarget Inherit { get; } = new InheritedTarget();

    /// <summary>For standard error: wherever standard output goes, in the order in which they are written.</summary>
    public static OutputTarget SameAsOutput { get; } = new MergedTarget();

    /// <summary>A file of the host, made if it is missing.</summary>
    /// <param name="path">Opened when the program starts.</param>
    /// <param name="append">Whether what is there is kept; else it is dropped.</param>
    public static OutputTarget ToFile(string path, bool append = false)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new FileTarget(Path.GetFullPath(path), append);
    }

    /// <summary>
    /// Line by line to a delegate, called on a pool thread, never twice at once for one stream. A delegate that is slow
    /// makes the program wait; one that throws is not called again, and the result's task fails with what it threw.
    /// </summary>
    public static OutputTarget ToLines(Action<OutputLine> onLine)
    {
        ArgumentNullException.ThrowIfNull(onLine);
        return new LinesTarget(onLine);
    }

    /// <summary>To a stream, which is written while the program runs, and not disposed.</summary>
    public static OutputTarget ToStream(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return new StreamTarget(stream);
    }
}

internal sealed record CapturedTarget : OutputTarget;

internal sealed record PipeTarget : OutputTarget;

internal sealed record DiscardedTarget : OutputTarget
{
    internal override bool IsOwnPipe => false;
}

internal sealed record InheritedTarget : OutputTarget
{
    internal override bool IsOwnPipe => false;
}

internal sealed record MergedTarget : OutputTarget;

internal sealed record FileTarget(string Path, bool Append) : OutputTarget
{
    internal override bool IsOwnPipe => false;
}

internal sealed record LinesTarget(Action<OutputLine> OnLine) : OutputTarget;

internal sealed record StreamTarget(Stream Stream) : OutputTarget;
