namespace Isolation;

/// <summary>
/// What is told of a failed launch to logs and traces. An exception's message shows the operands of the call that failed,
/// which may be the command and the environment; it is the caller's, and is not written anywhere.
/// </summary>
internal static class LaunchProblem
{
    internal const string Cancelled = "Cancelled";

    internal static (string Reason, string Problem) Of(Exception exception) => exception switch
    {
        ContainerException { Purpose: { } purpose } step => (step.Reason.ToString(), step.Errno is { } errno ? $"cannot {purpose}: {errno}" : $"cannot {purpose}"),
        ContainerException failure => (failure.Reason.ToString(), failure.Problem),
        OperationCanceledException => (Cancelled, "the launch was cancelled"),
        _ => (exception.GetType().FullName!, exception.Message),
    };
}
