using System.Runtime.InteropServices;
using Isolation.Launch;
using Isolation.Linux;

namespace Isolation;

/// <summary>
/// The outer side of a program's pseudo-terminal: what is written is typed into it, what is read is what it shows. Safe
/// from any thread; one read and one write may be under way at once. It ends with the program.
/// </summary>
public sealed class ContainerTerminal
{
    private readonly FileDescriptor _master;

    internal ContainerTerminal(FileDescriptor master)
    {
        _master = master;
        Stream = new DescriptorStream(master, canRead: true, canWrite: true);
    }

    /// <summary>Reading and writing. The end of the program is the end of the stream.</summary>
    public Stream Stream { get; }

    /// <summary>Tells the program that its terminal has another size; it gets SIGWINCH.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A size is not 1 to 65535.</exception>
    /// <exception cref="ObjectDisposedException">The program was disposed.</exception>
    public void Resize(int columns, int rows)
    {
        if (columns is < 1 or > 65535) throw new ArgumentOutOfRangeException(nameof(columns), columns, "A terminal has 1 to 65535 columns.");
        if (rows is < 1 or > 65535) throw new ArgumentOutOfRangeException(nameof(rows), rows, "A terminal has 1 to 65535 rows.");
        TerminalCalls.SetSize(_master, columns, rows);
    }

    /// <summary>
    /// Joins the calling process's own terminal to this one until the program ends or the wait is cancelled: raw mode,
    /// keys one way and output the other, and the size of the caller's. The caller's terminal is put back as it was,
    /// whatever happens, short of SIGKILL.
    /// </summary>
    /// <exception cref="InvalidOperationException">The caller's standard input is not a terminal.</exception>
    public async Task AttachConsoleAsync(CancellationToken cancellationToken = default)
    {
        using RawTerminal raw = RawTerminal.Enter();
        Follow();
#pragma warning disable CA1416 // Not on Windows, and neither is any of this.
        using PosixSignalRegistration resized = PosixSignalRegistration.Create(PosixSignal.SIGWINCH, _ => Follow());
#pragma warning restore CA1416
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task keys = PumpKeysAsync(raw.Input, stop.Token);
        try
        {
            using Stream output = Console.OpenStandardOutput();
            byte[] buffer = new byte[16 << 10];
            int count;
            while ((count = await Stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
            {
                await output.WriteAsync(buffer.AsMemory(0, count), cancellationToken).ConfigureAwait(false);
                await output.FlushAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await keys.ConfigureAwait(false);
        }
    }

    /// <inheritdoc cref="DescriptorStream.EndWhenEmpty"/>
    internal void EndWhenEmpty() => ((DescriptorStream)Stream).EndWhenEmpty();

    /// <inheritdoc cref="DescriptorStream.Fail"/>
    internal void Fail(Exception exception) => ((DescriptorStream)Stream).Fail(exception);

    /// <summary>Takes on the size of the caller's terminal.</summary>
    private void Follow()
    {
        try
        {
            if (RawTerminal.Size is { } size) Resize(size.Columns, size.Rows);
        }
        catch (Exception exception) when (exception is ObjectDisposedException or LinuxException)
        {
            // The program has ended.
        }
    }

    private async Task PumpKeysAsync(Stream keys, CancellationToken cancellationToken)
    {
        try
        {
            await keys.CopyToAsync(Stream, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is OperationCanceledException or ObjectDisposedException or LinuxException)
        {
            // The program has ended, or the wait for it.
        }
    }
}
