using System.Diagnostics;
using Isolation.Linux;

namespace Isolation;

public partial class ContainerProcess
{
    /// <summary>How long <see cref="StopAsync"/> waits by default between the stop signal and SIGKILL.</summary>
    public static TimeSpan DefaultGrace { get; } = TimeSpan.FromSeconds(10);

    /// <summary>Sends a signal to the program.</summary>
    /// <param name="signal">A number, as in signal(7). The first process of a pid namespace only gets signals it has a handler for, SIGKILL and SIGSTOP aside.</param>
    /// <exception cref="ContainerStateException">The program has ended.</exception>
    /// <exception cref="LinuxException">There is no such signal.</exception>
    public async Task SignalAsync(int signal)
    {
        if (!await SendAsync(signal).ConfigureAwait(false)) throw new ContainerStateException($"Signal {signal} cannot be sent", Launch.State);
    }

    private Task<bool> SendAsync(int signal) => Launch.Spec.RuntimeUse is not null && this is Container container ? RuntimeExec.SignalAsync(container, signal) : Task.FromResult(Launch.Signal(signal));

    /// <summary>
    /// Asks the program to end with its stop signal (SIGTERM, unless <see cref="ProgramBuilder{TSelf}.WithStopSignal"/> says
    /// otherwise), waits, and kills it if it has not ended by then.
    /// </summary>
    /// <param name="grace">How long to wait; null for <see cref="DefaultGrace"/>.</param>
    /// <param name="cancellationToken">Ends the wait at once and kills.</param>
    public async Task<ContainerResult> StopAsync(TimeSpan? grace = null, CancellationToken cancellationToken = default)
    {
        int signal = Launch.Spec.StopSignal;
        TimeSpan patience = grace ?? DefaultGrace;
        Activity? span = Launch.Observer.BeginStop(signal);
        try
        {
            Launch.Observer.Stopping(signal, patience);
            await SendAsync(signal).ConfigureAwait(false);
            ContainerResult result = await EndedWithinAsync(patience, cancellationToken).ConfigureAwait(false);
            if (span is not null) LaunchSpans.Outcome(span, result.Outcome, result.ExitCode, result.Signal);
            return result;
        }
        finally
        {
            if (span is not null) LaunchSpans.End(span);
        }
    }

    private async Task<ContainerResult> EndedWithinAsync(TimeSpan grace, CancellationToken cancellationToken)
    {
        try
        {
            return await Launch.Ended.WaitAsync(grace, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is TimeoutException or OperationCanceledException)
        {
            if (exception is TimeoutException) Launch.Observer.GraceOver(grace);
            Launch.Kill(); // does nothing where it ended as the wait did
            return await Launch.Ended.ConfigureAwait(false);
        }
    }
}
