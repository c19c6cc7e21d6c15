using System.Runtime.InteropServices;
using Isolation.Launch;
using Isolation.Linux;

namespace Isolation;

/// <summary>The calling process's terminal in raw mode, until it is disposed or the process exits or crashes; SIGKILL alone leaves it raw.</summary>
internal sealed class RawTerminal : IDisposable
{
    private readonly byte[] _before;
    private readonly DescriptorStream _input;
    private readonly PosixSignalRegistration[] _signals;
    private int _restored;

    private RawTerminal(byte[] before, FileDescriptor input)
    {
        _before = before;
        _input = new DescriptorStream(input, canRead: true, canWrite: false);

        // A crash is no exit, and neither is a signal: .NET leaves SIGTERM and its like to the kernel.
        _signals = [.. Deadly.Select(signal => PosixSignalRegistration.Create(signal, _ => Restore()))];
        AppDomain.CurrentDomain.ProcessExit += OnExit;
        AppDomain.CurrentDomain.UnhandledException += OnExit;
    }

    private static PosixSignal[] Deadly => [PosixSignal.SIGTERM, PosixSignal.SIGHUP, PosixSignal.SIGINT, PosixSignal.SIGQUIT];

    internal Stream Input => _input;

    internal static TerminalSize? Size => TerminalCalls.TryGetSize(0);

    internal static RawTerminal Enter()
    {
        byte[] settings = new byte[TerminalCalls.TermiosSize];
        if (!TerminalCalls.TryGetSettings(0, settings)) throw new InvalidOperationException("Standard input is not a terminal: read and write ContainerTerminal.Stream instead.");

        // Opened anew, so that non-blocking reading is this side's alone and the shell's descriptor stays as it is.
        RawTerminal terminal = new([.. settings], FileDescriptor.Open("/dev/tty", Abi.O_RDONLY | Abi.O_NOCTTY));
        TerminalCalls.MakeRaw(settings);
        TerminalCalls.SetSettings(0, settings);
        return terminal;
    }

    public void Dispose()
    {
        Restore();
        AppDomain.CurrentDomain.ProcessExit -= OnExit;
        AppDomain.CurrentDomain.UnhandledException -= OnExit;
        foreach (PosixSignalRegistration signal in _signals) signal.Dispose();
        _input.Dispose();
    }

    private void OnExit(object? sender, EventArgs arguments) => Restore();

    private void Restore()
    {
        if (Interlocked.Exchange(ref _restored, 1) == 0) TerminalCalls.SetSettings(0, _before);
    }
}
