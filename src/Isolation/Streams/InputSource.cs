using System.Text;

namespace Isolation;

/// <summary>What a program reads as its standard input. Immutable and safe to share, but for the one of a stream.</summary>
public abstract record InputSource
{
    private protected InputSource()
    {
    }

    /// <summary>Nothing: the first read is the end of the file. The default.</summary>
    public static InputSource Empty { get; } = new EmptyInput();

    /// <summary>A pipe, written by <see cref="ContainerProcess.StandardInput"/>.</summary>
    public static InputSource Pipe { get; } = new PipeInput();

    /// <summary>The standard input of the calling process.</summary>
    public static InputSource Inherit { get; } = new InheritedInput();

    /// <summary>A file of the host, opened when the program starts.</summary>
    public static InputSource FromFile(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new FileInput(Path.GetFullPath(path));
    }

    /// <summary>These bytes, and then the end of the file. What the program does not read is dropped.</summary>
    public static InputSource FromBytes(ReadOnlyMemory<byte> bytes) => new BytesInput(bytes);

    /// <summary>This text as UTF-8, and then the end of the file.</summary>
    public static InputSource FromText(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return new BytesInput(Encoding.UTF8.GetBytes(text));
    }

    /// <summary>What a stream yields until its end. It is read while the program runs, for one program, and is not disposed.</summary>
    public static InputSource FromStream(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return new StreamInput(stream);
    }

    /// <summary>The standard output of another program, which must have been started with <see cref="OutputTarget.Pipe"/> and not been read.</summary>
    public static InputSource OutputOf(ContainerProcess process)
    {
        ArgumentNullException.ThrowIfNull(process);
        return new ProcessInput(process);
    }
}

internal sealed record EmptyInput : InputSource;

internal sealed record PipeInput : InputSource;

internal sealed record InheritedInput : InputSource;

internal sealed record FileInput(string Path) : InputSource;

internal sealed record BytesInput(ReadOnlyMemory<byte> Bytes) : InputSource;

internal sealed record StreamInput(Stream Stream) : InputSource;

internal sealed record ProcessInput(ContainerProcess Process) : InputSource;
