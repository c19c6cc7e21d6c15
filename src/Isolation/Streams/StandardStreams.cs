using Isolation.Linux;

namespace Isolation;

/// <summary>
/// A program's three standard streams: the ends it is given, and what is done with the others. The child's ends are let
/// go once it is born; captured output is read on the events thread; lines and streams are pumped on the pool.
/// </summary>
#pragma warning disable CA1001 // Its cancellations have no timer and no wait handle: there is nothing to dispose.
internal sealed class StandardStreams
#pragma warning restore CA1001
{
    private static readonly Lazy<FileDescriptor> NullDevice = new(() => FileDescriptor.Open("/dev/null", Abi.O_RDWR));

    private readonly List<FileDescriptor> _childEnds = new(3);
    private readonly CancellationTokenSource _end = new();
    private readonly CancellationTokenSource _abandoned = new();
    private readonly List<Func<Task>> _pumps = [];
    private readonly OutputCapture? _output;
    private readonly OutputCapture? _error;
    private DescriptorStream? _pumpedInput;
    private DescriptorStream? _pumpedOutput;
    private DescriptorStream? _pumpedError;
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
        catch (Exception exception)
        {
            Fail(exception);
            throw;
        }
    }

    internal FileDescriptor ChildInput { get; }

    internal FileDescriptor ChildOutput { get; }

    internal FileDescriptor ChildError { get; }

    internal DescriptorStream? Input { get; private set; }

    internal DescriptorStream? Output { get; private set; }

    internal DescriptorStream? Error { get; private set; }

    private DescriptorStream?[] All => [Input, Output, Error, _pumpedInput, _pumpedOutput, _pumpedError];

    /// <summary>The child has its ends: ours of them are closed, and reading and writing begins.</summary>
    internal void Start()
    {
        CloseChildEnds();
        _output?.Start();
        _error?.Start();
        if (_pumps.Count > 0) _running = [.. _pumps.Select(pump => pump())];
    }

    internal void CloseChildEnds()
    {
        foreach (FileDescriptor descriptor in _childEnds) descriptor.Dispose();
        _childEnds.Clear();
    }

    /// <summary>The program has ended, on the events thread: what was captured, and the task of what still runs.</summary>
    internal (CapturedOutput Output, CapturedOutput Error, Task? Pumps) Finish()
    {
        CapturedOutput output = _output?.Finish() ?? CapturedOutput.None, error = _error?.Finish() ?? CapturedOutput.None;

        // Input that nobody reads any more is given up; output that was written is still passed on, and then it is the
        // end, whoever else still holds the pipe.
        _ = _end.CancelAsync(); // what it calls is the caller's, and not for the events thread
        foreach (DescriptorStream? stream in All) stream?.EndWhenEmpty();
        return (output, error, _running is null ? null : Task.WhenAll(_running));
    }

    /// <summary>Waits for the caller's delegates and streams no longer: what was not passed on yet is dropped.</summary>
    internal void Abandon() => _ = _abandoned.CancelAsync();

    /// <summary>Lets go of the pipes that the caller reads and writes.</summary>
    internal void DisposePipes()
    {
        Input?.Dispose();
        Output?.Dispose();
        Error?.Dispose();
    }

    /// <summary>Lets go of all, where there was no program, or nobody knows of it any more.</summary>
    internal void Fail(Exception exception)
    {
        CloseChildEnds();
        _output?.Close();
        _error?.Close();
        foreach (DescriptorStream? stream in All) stream?.Fail(exception);
        if (_running is not null) _ = Task.WhenAll(_running).ContinueWith(static pumps => pumps.Exception, TaskScheduler.Default); // nobody waits for them
    }

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
            await UntilAsync(() => source.CopyToAsync(pipe, _end.Token), _end.Token).ConfigureAwait(false);
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

    private Task PumpLinesAsync(DescriptorStream pipe, OutputOrigin origin, Action<OutputLine> onLine) =>
        PumpAsync(pipe, () => LinePump.RunAsync(pipe, origin, (line, abandoned) =>
        {
            abandoned.ThrowIfCancellationRequested();
            onLine(line);
            return ValueTask.CompletedTask;
        }, _abandoned.Token));

    private Task PumpStreamAsync(DescriptorStream pipe, Stream target) => PumpAsync(pipe, () => pipe.CopyToAsync(target, _abandoned.Token));

    private async Task PumpAsync(DescriptorStream pipe, Func<Task> pump)
    {
        try
        {
            await UntilAsync(pump, _abandoned.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_abandoned.IsCancellationRequested)
        {
            // The program was disposed, and with it the interest in what it wrote.
        }
        finally
        {
            // Closed also where the delegate threw: the program hears of it, and does not wait for a reader for ever.
            await pipe.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Runs what calls the caller's code, which may block its thread and need not heed a cancellation; what it throws
    /// later is nobody's.
    /// </summary>
    private static async Task UntilAsync(Func<Task> pump, CancellationToken cancellationToken)
    {
        Task task = Task.Run(pump, CancellationToken.None);
        _ = task.ContinueWith(static ended => _ = ended.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        await task.WaitAsync(cancellationToken).ConfigureAwait(false);
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
