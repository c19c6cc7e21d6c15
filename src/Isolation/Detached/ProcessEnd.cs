using Isolation.Linux;

namespace Isolation;

/// <summary>Waits for the end of a process that need not be a child, without a thread (pidfd_open(2): it can be polled).</summary>
internal sealed class ProcessEnd : IDescriptorHandler
{
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void OnReady(uint events) => _ended.TrySetResult();

    public void OnFault(Exception exception) => _ended.TrySetException(exception);

    /// <param name="process">Its pidfd; the caller's.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    internal static async Task WaitAsync(PidDescriptor process, CancellationToken cancellationToken)
    {
        ProcessEnd end = new();
        using Registration registration = DescriptorEvents.Shared.Prepare(process, end);
        registration.Start(Abi.EPOLLIN);
        await end._ended.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }
}
