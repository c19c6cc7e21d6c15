using Isolation.Linux;

namespace Isolation;

/// <summary>
/// A program's three standard streams: the ends it is given, and what is done with the others. The child's ends are let
/// go once it is born; captured output is read on the events thread; lines and streams are pumped on the pool.
/// </summary>
internal sealed class StandardStreams : IDisposable
{
    private static readonly Lazy<FileDescriptor> NullDevice = new(() => FileDescriptor.Open("/dev/null", Abi.O_RDWR));

    private readonly List<FileDescriptor> _childEnds = new(3);
    private readonly CancellationTokenSource _end = new();
    private readonly List<Func<Task>> _pumps = [];
    private readonly OutputCapture? _output;
    private readonly OutputCapture? _error;
    private List<Task>? _running;

    internal StandardStreams(ContainerSpec spec)
    {
        try
        {
            if (spec.Terminal is not null)
            {
                // The child replaces them by its terminal.
                ChildInput = ChildOutput = ChildError = NullDevice.Value;
                return;
            }

            ChildInput = OpenInput(spec.Input);
            ChildOutput = OpenOutput(spec.Output, OutputOrigin.StandardOutput, spec.OutputLimit, ref _output);
            ChildError = spec.Error is MergedTarget ? ChildOutput : OpenOutput(spec.Error, OutputOrigin.StandardError, spec.OutputLimit, ref _error);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    internal FileDescriptor ChildInput { get; }

    internal FileDescriptor ChildOutput { get; }

    internal FileDescriptor ChildError { get; }

    internal DescriptorStream? Input { get; private set; }

    internal DescriptorStream? Output { get; private set; }

    internal DescriptorStream? Error { get; private set; }

    /// <summary>The child has its ends: ours of them are closed, and reading and writing begins.</summary>
    internal void Start()
    {
        CloseChildEnds();
        _output?.Start();
        _error?.Start();
        if (_pumps.Count > 0) _running = [.. _pumps.Select(pump => Task.Run(pump))];
    }

    internal void CloseChildEnds()
    {
        foreach (FileDescriptor descriptor in _childEnds) descriptor.Dispose();
        _childEnds.Clear();
    }

    /// <summary>The program has ended, on the events thread: what was captured, and the task of what still runs.</summary>
    internal (CapturedOutput Output, CapturedOutput Error, Task? Pumps) Finish()
    {
        CapturedOutput output = _output?.Finish() ?? default, error = _error?.Finish() ?? default;
        if (_running is null) return (output, error, null);

        // Input that nobody reads any more is given up; output that was written is still passed on.
        _end.Cancel();
        _pumpedOutput?.EndWhenEmpty();
        _pumpedError?.EndWhenEmpty();
        return (output, error, Task.WhenAll(_running));
    }

    /// <summary>Lets go of the pipes that the caller reads and writes.</summary>
    internal void DisposePipes()
    {
        Input?.Dispose();
        Output?.Dispose();
        Error?.Dispose();
    }

    /// <summary>Lets go of all, where there was no program.</summary>
    public void Dispose()
    {
        CloseChildEnds();
        _output?.Finish();
        _error?.Finish();
        DisposePipes();
        _pumpedInput?.Dispose();
        _pumpedOutput?.Dispose();
        _pumpedError?.Dispose();
    }

    private DescriptorStream? _pumpedInput;
    private DescriptorStream? _pumpedOutput;
    private DescriptorStream? _pumpedError;

    private FileDescriptor OpenInput(InputSource source)
    {
        switch (source)
        {
            case EmptyInput: return NullDevice.Value;
            case InheritedInput: return Own(Duplicate(0));
            case FileInput file: return Own(FileDescriptor.Open(file.Path, Abi.O_RDONLY));
            case ProcessInput process: return Own(process.Process.TakeStandardOutput());
        }

        (FileDescriptor read, FileDescriptor write) = Descriptors.Pipe();
        Own(read);
        DescriptorStream stream = new(write, canRead: false, canWrite: true);
        if (source is PipeInput)
        {
            Input = stream;
            return read;
        }

        _pumpedInput = stream;
        _pumps.Add(source is BytesInput bytes ? () => FeedAsync(stream, new MemoryStream(bytes.Bytes.ToArray(), writable: false)) : () => FeedAsync(stream, ((StreamInput)source).Stream));
        return read;
    }

    private FileDescriptor OpenOutput(OutputTarget target, OutputOrigin origin, int limit, ref OutputCapture? capture)
    {
        switch (target)
        {
            case DiscardedTarget: return NullDevice.Value;
            case InheritedTarget: return Own(Duplicate(origin == OutputOrigin.StandardOutput ? 1 : 2));
            case FileTarget file: return Own(FileDescriptor.Open(file.Path, Abi.O_WRONLY | Abi.O_CREAT | (file.Append ? Abi.O_APPEND : Abi.O_TRUNC), 0x1A4));
        }

        (FileDescriptor read, FileDescriptor write) = Descriptors.Pipe();
        Own(write);
        if (target is CapturedTarget)
        {
            NonBlocking.Set(read);
            capture = new(read, limit);
            return write;
        }

        DescriptorStream stream = new(read, canRead: true, canWrite: false);
        if (target is PipeTarget)
        {
            if (origin == OutputOrigin.StandardOutput) Output = stream;
            else Error = stream;
            return write;
        }

        if (origin == OutputOrigin.StandardOutput) _pumpedOutput = stream;
        else _pumpedError = stream;
        _pumps.Add(target is LinesTarget lines
            ? () => PumpLinesAsync(stream, origin, lines.OnLine)
            : () => PumpStreamAsync(stream, ((StreamTarget)target).Stream));
        return write;
    }

    private async Task FeedAsync(DescriptorStream pipe, Stream source)
    {
        try
        {
            await source.CopyToAsync(pipe, _end.Token).WaitAsync(_end.Token).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is LinuxException { Errno: Errno.EPIPE } || _end.IsCancellationRequested)
        {
            // The program has closed its input, or ended: what is left is nobody's.
        }
        finally
        {
            await pipe.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static async Task PumpLinesAsync(DescriptorStream pipe, OutputOrigin origin, Action<OutputLine> onLine)
    {
        try
        {
            await LinePump.RunAsync(pipe, origin, (line, _) =>
            {
                onLine(line);
                return ValueTask.CompletedTask;
            }, CancellationToken.None).ConfigureAwait(false);
        }
        finally
        {
            // Closed also where the delegate threw: the program hears of it, and does not wait for a reader for ever.
            await pipe.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static async Task PumpStreamAsync(DescriptorStream pipe, Stream target)
    {
        try
        {
            await pipe.CopyToAsync(target).ConfigureAwait(false);
        }
        finally
        {
            await pipe.DisposeAsync().ConfigureAwait(false);
        }
    }

    private FileDescriptor Own(FileDescriptor descriptor)
    {
        _childEnds.Add(descriptor);
        return descriptor;
    }

    private static FileDescriptor Duplicate(int number)
    {
        nint copy = Syscall.fcntl(number, Abi.F_DUPFD_CLOEXEC, 3);
        return new FileDescriptor((int)Syscall.Check(copy, "fcntl", $"{number}, F_DUPFD_CLOEXEC"));
    }
}
