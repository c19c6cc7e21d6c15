using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Isolation.Linux;

namespace Isolation;

/// <summary>
/// A program in a container: its first, or one that was started in it later. Safe from any thread. Disposing it ends it
/// if it still runs.
/// </summary>
/// <remarks>
/// After disposal, and after the end, what tells of the program answers as before: its id, its state, its result. Asking
/// it to end does nothing. Signalling it throws a <see cref="ContainerStateException"/>, and so does pausing a container
/// or starting a program in it. Streams, pipes and the terminal are still to be had, and throw
/// <see cref="ObjectDisposedException"/> when they are used after disposal.
/// </remarks>
public partial class ContainerProcess : IAsyncDisposable
{
    private const int LinesAhead = 256;

    private PipeWriter? _inputWriter;
    private PipeReader? _outputReader;
    private PipeReader? _errorReader;
    private int _linesRead;

    internal ContainerProcess(ContainerLaunch launch) => Launch = launch;

    internal ContainerLaunch Launch { get; }

    /// <summary>The id of the process, as the calling process sees it.</summary>
    public int ProcessId => Launch.ProcessId;

    /// <summary>Whether the program has not ended; a paused one has not.</summary>
    public bool IsRunning => !Launch.Ended.IsCompleted;

    /// <summary>Where it is in its life.</summary>
    public ContainerState State => Launch.State;

    /// <summary>
    /// Written, it is what the program reads; disposed, the program reads the end. Writing to a program that has closed
    /// its input, or ended, throws a <see cref="LinuxException"/> with EPIPE.
    /// </summary>
    /// <exception cref="InvalidOperationException">The program was not started with <see cref="InputSource.Pipe"/>.</exception>
    public Stream StandardInput => Launch.Streams.Input ?? throw NotPiped("input", "WithInput(InputSource.Pipe)");

    /// <summary>
    /// What the program writes. Reading it asynchronously blocks no thread. When the program has ended, what is in the
    /// pipe is read and then it is the end, even where a process that the program left behind keeps the pipe open.
    /// </summary>
    /// <exception cref="InvalidOperationException">The program was not started with <see cref="OutputTarget.Pipe"/>.</exception>
    public Stream StandardOutput => Launch.Streams.Output ?? throw NotPiped("output", "WithOutput(OutputTarget.Pipe)");

    /// <summary>What the program writes to its standard error.</summary>
    /// <exception cref="InvalidOperationException">The program was not started with <see cref="OutputTarget.Pipe"/> for it.</exception>
    public Stream StandardError => Launch.Streams.Error ?? throw NotPiped("error", "WithError(OutputTarget.Pipe)");

    /// <summary>
    /// <see cref="StandardInput"/> as a pipe: always the same writer. Completing it is the end of the program's input. What
    /// it holds back until it is flushed belongs to it: write to one of the two.
    /// </summary>
    /// <exception cref="InvalidOperationException">The program was not started with <see cref="InputSource.Pipe"/>.</exception>
    /// <exception cref="ObjectDisposedException">The program, or its input, was disposed before this was first asked for.</exception>
    public PipeWriter StandardInputWriter => Once(ref _inputWriter, StandardInput, static stream => stream.CanWrite, static stream => PipeWriter.Create(stream));

    /// <summary>
    /// <see cref="StandardOutput"/> as a pipe: always the same reader. Completing it closes the output. What it has read
    /// ahead belongs to it: read from one of the two.
    /// </summary>
    /// <exception cref="InvalidOperationException">The program was not started with <see cref="OutputTarget.Pipe"/>.</exception>
    /// <exception cref="ObjectDisposedException">The program, or its output, was disposed before this was first asked for.</exception>
    public PipeReader StandardOutputReader => Once(ref _outputReader, StandardOutput, static stream => stream.CanRead, static stream => PipeReader.Create(stream));

    /// <summary><see cref="StandardError"/> as a pipe, as <see cref="StandardOutputReader"/> is one.</summary>
    /// <exception cref="InvalidOperationException">The program was not started with <see cref="OutputTarget.Pipe"/> for it.</exception>
    /// <exception cref="ObjectDisposedException">The program, or its standard error, was disposed before this was first asked for.</exception>
    public PipeReader StandardErrorReader => Once(ref _errorReader, StandardError, static stream => stream.CanRead, static stream => PipeReader.Create(stream));

    /// <summary>The outer side of the program's terminal.</summary>
    /// <exception cref="InvalidOperationException">The program was not started with a terminal.</exception>
    /// <exception cref="ContainerStateException">It was killed before it got its terminal.</exception>
    public ContainerTerminal Terminal => Launch.Terminal ?? throw (Launch.Spec.Terminal is null
        ? new InvalidOperationException("The program has no terminal: start it with WithTerminal.")
        : new ContainerStateException("It has no terminal", Launch.State));

    /// <summary>Waits for the end of the program. Any number may wait; all get the same result.</summary>
    /// <param name="cancellationToken">Ends the wait, not the program.</param>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    public Task<ContainerResult> WaitAsync(CancellationToken cancellationToken = default) => Launch.Ended.WaitAsync(cancellationToken);

    /// <summary>
    /// The lines of the streams that are pipes, as they come, until both have ended. Lines of one stream are in order;
    /// between the two the order is that of reading them. To be read once: what a reading that was left had read ahead is
    /// lost.
    /// </summary>
    /// <exception cref="InvalidOperationException">Neither stream is a pipe, or the lines were read before.</exception>
    /// <exception cref="ObjectDisposedException">The program was disposed.</exception>
    public async IAsyncEnumerable<OutputLine> ReadLinesAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        if (Launch.Streams.Output is null && Launch.Streams.Error is null) throw NotPiped("output", "WithOutput(OutputTarget.Pipe)");
        if (Interlocked.Exchange(ref _linesRead, 1) != 0) throw new InvalidOperationException("The lines were read before: what that reading had read ahead is gone.");
        Channel<OutputLine> lines = Channel.CreateBounded<OutputLine>(new BoundedChannelOptions(LinesAhead) { SingleReader = true });
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task pumps = PumpAsync(lines.Writer, stop.Token);
        try
        {
            await foreach (OutputLine line in lines.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false)) yield return line;
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await pumps.ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Kills the program with SIGKILL and waits until it is gone. A container's first program takes every process of its
    /// pid namespace with it. Does nothing if it has ended.
    /// </summary>
    /// <param name="cancellationToken">Ends the wait; the kill stands.</param>
    public async Task KillAsync(CancellationToken cancellationToken = default)
    {
        Launch.Kill();
        await Launch.Ended.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Kills the program if it still runs, waits until it is gone, and lets go of its descriptors. A delegate or stream
    /// that takes its output is not waited for: what was not passed on yet is dropped. More than once does nothing.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            Launch.Streams.Abandon();
            Launch.Kill();
            await ((Task)Launch.Ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        finally
        {
            Launch.DisposeStreams(); // also where it could not be killed
            if (Launch.ReleaseRoot() is { } release) await release.ConfigureAwait(false);
            await Launch.Afterwards.ConfigureAwait(false);
        }

        GC.SuppressFinalize(this);
    }

    /// <summary>The read end of the output pipe, for another program's input.</summary>
    internal FileDescriptor TakeStandardOutput() =>
        (Launch.Streams.Output ?? throw NotPiped("output", "WithOutput(OutputTarget.Pipe)")).Take();

    private async Task PumpAsync(ChannelWriter<OutputLine> writer, CancellationToken cancellationToken)
    {
        try
        {
            Task output = Launch.Streams.Output is { } first ? LinePump.RunAsync(first, OutputOrigin.StandardOutput, writer.WriteAsync, cancellationToken) : Task.CompletedTask;
            Task error = Launch.Streams.Error is { } second ? LinePump.RunAsync(second, OutputOrigin.StandardError, writer.WriteAsync, cancellationToken) : Task.CompletedTask;
            await Task.WhenAll(output, error).ConfigureAwait(false);
            writer.TryComplete();
        }
        catch (Exception exception)
        {
            writer.TryComplete(exception);
        }
    }

    /// <summary>What stands before a stream, made when it is first asked for, and only once.</summary>
    private static T Once<T>(ref T? made, Stream stream, Func<Stream, bool> isOpen, Func<Stream, T> make)
        where T : class
    {
        lock (stream)
        {
            if (made is null) ObjectDisposedException.ThrowIf(!isOpen(stream), stream);
            return made ??= make(stream);
        }
    }

    private static InvalidOperationException NotPiped(string stream, string remedy) =>
        new($"The program's standard {stream} is not a pipe: start it with {remedy}.");
}
