using Microsoft.Extensions.Logging;

namespace Isolation;

/// <summary>
/// What is logged of the life of a container (10 to 29) and of a further program in one (30 to 49). The ids and names are
/// in the guide and stay. Of a command only its first word is logged, and of an environment nothing: both carry secrets.
/// </summary>
internal static partial class LifeLog
{
    [LoggerMessage(10, LogLevel.Debug, "Container {Container} is being started with {Program}.")]
    internal static partial void ContainerStarting(ILogger logger, string container, string program);

    [LoggerMessage(11, LogLevel.Information, "Container {Container} runs {Program} as process {ProcessId}, after {LaunchMilliseconds:F1} ms.")]
    internal static partial void ContainerStarted(ILogger logger, string container, string program, int processId, double launchMilliseconds);

    [LoggerMessage(12, LogLevel.Error, "Container {Container} could not be started with {Program}: {Reason}: {Problem}")]
    internal static partial void ContainerLaunchFailed(ILogger logger, string container, string program, string reason, string problem);

    [LoggerMessage(13, LogLevel.Debug, "The launch of container {Container} was cancelled.")]
    internal static partial void ContainerLaunchCancelled(ILogger logger, string container);

    [LoggerMessage(14, LogLevel.Information, "Container {Container} has ended: {Outcome}, exit code {ExitCode}, signal {Signal}, {ElapsedMilliseconds:F1} ms after its program started.")]
    internal static partial void ContainerEnded(ILogger logger, string container, ContainerOutcome outcome, int? exitCode, int? signal, double elapsedMilliseconds);

    [LoggerMessage(15, LogLevel.Warning, "Container {Container} is killed: its time of {Timeout} is over.")]
    internal static partial void ContainerTimedOut(ILogger logger, string container, TimeSpan? timeout);

    [LoggerMessage(16, LogLevel.Debug, "Container {Container} is killed: {Outcome}.")]
    internal static partial void ContainerKilled(ILogger logger, string container, ContainerOutcome outcome);

    [LoggerMessage(17, LogLevel.Debug, "Container {Container} is asked to end with signal {Signal}, and has {Grace} for it.")]
    internal static partial void ContainerStopping(ILogger logger, string container, int signal, TimeSpan grace);

    [LoggerMessage(18, LogLevel.Warning, "Container {Container} has not ended within the {Grace} that it had for it.")]
    internal static partial void ContainerGraceOver(ILogger logger, string container, TimeSpan grace);

    [LoggerMessage(19, LogLevel.Information, "Container {Container} is paused.")]
    internal static partial void ContainerPaused(ILogger logger, string container);

    [LoggerMessage(20, LogLevel.Information, "Container {Container} goes on.")]
    internal static partial void ContainerResumed(ILogger logger, string container);

    [LoggerMessage(21, LogLevel.Warning, "The control group of container {Container} is left, until its state directory is opened again: {Problem}")]
    internal static partial void ContainerGroupLeft(ILogger logger, string container, string problem);

    [LoggerMessage(22, LogLevel.Warning, "What the host made for the root of container {Container} is left, until its state directory is opened again: {Problem}")]
    internal static partial void ContainerRootLeft(ILogger logger, string container, string problem);

    [LoggerMessage(23, LogLevel.Error, "The handler of {Container} has not answered {SystemCall}, which fails: {Problem}")]
    internal static partial void SystemCallUnanswered(ILogger logger, string container, string systemCall, string problem);

    [LoggerMessage(24, LogLevel.Warning, "A hook that is run when container {Container} has ended failed: {Problem}")]
    internal static partial void PoststopHookFailed(ILogger logger, string container, string problem);

    [LoggerMessage(30, LogLevel.Debug, "Program {Exec} is being started in container {Container} with {Program}.")]
    internal static partial void ExecStarting(ILogger logger, string exec, string container, string program);

    [LoggerMessage(31, LogLevel.Debug, "Program {Exec} of container {Container} runs {Program} as process {ProcessId}, after {LaunchMilliseconds:F1} ms.")]
    internal static partial void ExecStarted(ILogger logger, string exec, string container, string program, int processId, double launchMilliseconds);

    [LoggerMessage(32, LogLevel.Error, "Program {Exec} could not be started in container {Container} with {Program}: {Reason}: {Problem}")]
    internal static partial void ExecLaunchFailed(ILogger logger, string exec, string container, string program, string reason, string problem);

    [LoggerMessage(33, LogLevel.Debug, "The launch of program {Exec} in container {Container} was cancelled.")]
    internal static partial void ExecLaunchCancelled(ILogger logger, string exec, string container);

    [LoggerMessage(34, LogLevel.Debug, "Program {Exec} of container {Container} has ended: {Outcome}, exit code {ExitCode}, signal {Signal}, {ElapsedMilliseconds:F1} ms after it started.")]
    internal static partial void ExecEnded(ILogger logger, string exec, string container, ContainerOutcome outcome, int? exitCode, int? signal, double elapsedMilliseconds);

    [LoggerMessage(35, LogLevel.Warning, "Program {Exec} of container {Container} is killed: its time of {Timeout} is over.")]
    internal static partial void ExecTimedOut(ILogger logger, string exec, string container, TimeSpan? timeout);

    [LoggerMessage(36, LogLevel.Debug, "Program {Exec} of container {Container} is killed: {Outcome}.")]
    internal static partial void ExecKilled(ILogger logger, string exec, string container, ContainerOutcome outcome);

    [LoggerMessage(37, LogLevel.Debug, "Program {Exec} of container {Container} is asked to end with signal {Signal}, and has {Grace} for it.")]
    internal static partial void ExecStopping(ILogger logger, string exec, string container, int signal, TimeSpan grace);

    [LoggerMessage(38, LogLevel.Warning, "Program {Exec} of container {Container} has not ended within the {Grace} that it had for it.")]
    internal static partial void ExecGraceOver(ILogger logger, string exec, string container, TimeSpan grace);

    [LoggerMessage(50, LogLevel.Error, "A callback for the events of container {Container} failed on {Event}.")]
    internal static partial void EventCallbackFailed(ILogger logger, string container, ContainerEventKind @event, Exception exception);
}
