using Isolation.Linux;

namespace Isolation;

/// <summary>Hears of the calls that a filter leaves to the host, and answers them; on the thread pool, many at once. Closes when no process has the filter any more.</summary>
internal sealed class SystemCallListener : IDescriptorHandler, IDisposable
{
    private readonly FileDescriptor _listener;
    private readonly SystemCallInterception _interception;
    private readonly Action<string, Exception> _failed;
    private readonly Registration _registration;

    internal SystemCallListener(FileDescriptor listener, SystemCallInterception interception, Action<string, Exception> failed)
    {
        (_listener, _interception, _failed) = (listener, interception, failed);
        _registration = DescriptorEvents.Shared.Prepare(listener, this);
    }

    internal void Start() => _registration.Start(Abi.EPOLLIN);

    public void OnReady(uint events)
    {
        if ((events & Abi.EPOLLIN) == 0)
        {
            Dispose(); // EPOLLHUP: nobody is left who could ask
            return;
        }

        nint result = SeccompCalls.TryReceive(_listener, out seccomp_notif notification);
        if (Syscall.IsError(result)) return; // ENOENT: who asked has died
        SystemCallRequest request = new(_listener, notification);
        _ = Task.Run(() => AnswerAsync(request));
    }

    public void OnFault(Exception exception)
    {
        _failed("all calls", exception);
        Dispose();
    }

    public void Dispose()
    {
        _registration.Dispose();
        _listener.Dispose();
    }

    private async Task AnswerAsync(SystemCallRequest request)
    {
        SystemCallAnswer answer;
        try
        {
            answer = await AskAsync(request).ConfigureAwait(false) ?? throw new InvalidOperationException("The handler has answered null.");
        }
        catch (TimeoutException exception)
        {
            _failed(request.Name, exception);
            answer = SystemCallAnswer.Fail(Errno.ETIMEDOUT);
        }
        catch (Exception exception)
        {
            if (exception is not OperationCanceledException) _failed(request.Name, exception);
            answer = SystemCallAnswer.Fail(Errno.EIO);
        }

        try
        {
            request.Answer(answer);
        }
        catch (ObjectDisposedException)
        {
            // Whoever asked has ended.
        }
        catch (LinuxException exception)
        {
            _failed(request.Name, exception);
        }
    }

    private async Task<SystemCallAnswer?> AskAsync(SystemCallRequest request)
    {
        using CancellationTokenSource over = new();
        ValueTask<SystemCallAnswer> asked = _interception.Handler(request, over.Token);
        if (asked.IsCompleted) return await asked.ConfigureAwait(false);
        Task<SystemCallAnswer> answer = asked.AsTask();
        try
        {
            return await answer.WaitAsync(_interception.Timeout).ConfigureAwait(false);
        }
        catch (TimeoutException) when (!answer.IsCompleted)
        {
            await over.CancelAsync().ConfigureAwait(false);
            _ = answer.ContinueWith(static late => _ = late.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
            throw;
        }
    }
}
