using Isolation.Linux;

namespace Isolation;

/// <summary>What the process that owns a detached container does for it. There is one at a time: it holds a lock that goes with it.</summary>
internal sealed class DetachedOwner : IAsyncDisposable
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200), LongestPause = TimeSpan.FromMinutes(1), Settled = TimeSpan.FromSeconds(10);
    private readonly CancellationTokenSource _stop = new();
    private readonly DetachedContainer _container;
    private readonly OciRuntimeRoot _root;
    private readonly DetachedFiles _files;
    private readonly ContainerSpec? _spec;
    private readonly DetachOptions _options;
    private readonly FileDescriptor _lock;
    private readonly Task _work;
    private int _restarts;

    private DetachedOwner(DetachedContainer container, OciRuntimeRoot root, DetachedFiles files, ContainerSpec? spec, DetachOptions options, FileDescriptor held)
    {
        (_container, _root, _files, _spec, _options, _lock) = (container, root, files, spec, options, held);
        _work = Task.WhenAll(Task.Run(RestartAsync), Task.Run(CheckAsync), Task.Run(RotateAsync));
    }

    /// <returns>Null where another process owns it.</returns>
    internal static DetachedOwner? TryBegin(DetachedContainer container, OciRuntimeRoot root, DetachedFiles files, ContainerSpec? spec, DetachOptions options)
    {
        FileDescriptor held = FileDescriptor.Open(files.Owner, Abi.O_RDWR | Abi.O_CREAT, 0x180 /* 0600 */);
        if (FileLock.TryTake(held)) return new(container, root, files, spec, options, held);
        held.Dispose();
        return null;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        FileLock.ReleaseAndClose(_lock);
        _stop.Dispose();
    }

    private async Task RestartAsync()
    {
        if (_spec is null || _options.Restart == RestartPolicy.Never) return;
        TimeSpan pause = _options.Restart.Pause;
        while (true)
        {
            ContainerResult result = await _container.WaitAsync(_stop.Token).ConfigureAwait(false);
            if (_files.IsStopped || !_options.Restart.Applies(result, _restarts)) return;
            if (result.Elapsed > Settled) pause = _options.Restart.Pause;
            await Task.Delay(pause, _stop.Token).ConfigureAwait(false);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
            try
            {
                using IDisposable locked = await _root.LockAsync(_container.Id, _stop.Token).ConfigureAwait(false);
                if (_files.IsStopped) return;
                await DetachedLaunch.RunAsync(_spec, _container.Id, _files, DateTimeOffset.UtcNow, _stop.Token).ConfigureAwait(false);
                _restarts++;
            }
            catch (OciRuntimeException)
            {
                return; // it was removed
            }
            catch (Exception exception) when (exception is ContainerException or IOException)
            {
                // It may go the next time; that it did not is in the log of launches.
                _restarts++;
            }
        }
    }

    private async Task CheckAsync()
    {
        if (_options.Health is not { } check)
        {
            return;
        }

        _files.Health = HealthStatus.Starting;
        DateTimeOffset started = _files.Started;
        int failures = 0;
        while (true)
        {
            await Task.Delay(check.Interval, _stop.Token).ConfigureAwait(false);
            if (_files.Started != started)
            {
                (started, failures) = (_files.Started, 0);
                _files.Health = HealthStatus.Starting;
            }

            if (_container.State is not ContainerState.Running)
            {
                if (_files.IsStopped) return;
                continue;
            }

            if (await IsWellAsync(check).ConfigureAwait(false))
            {
                failures = 0;
                _files.Health = HealthStatus.Healthy;
            }
            else if (DateTimeOffset.UtcNow - started >= check.StartPeriod && ++failures >= check.Retries)
            {
                _files.Health = HealthStatus.Unhealthy;
                if (check.Kills) await _container.EndAsync(_stop.Token).ConfigureAwait(false);
            }
        }
    }

    private async Task<bool> IsWellAsync(HealthCheck check)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        limit.CancelAfter(check.Timeout);
        try
        {
            return (await _container.ExecAsync(check.Command, limit.Token).ConfigureAwait(false)).Succeeded;
        }
        catch (Exception exception) when (exception is ContainerException || (exception is OperationCanceledException && !_stop.IsCancellationRequested))
        {
            return false;
        }
    }

    private async Task RotateAsync()
    {
        while (true)
        {
            await Task.Delay(Look, _stop.Token).ConfigureAwait(false);
            try
            {
                DetachedLog.Rotate(_files, _options);
            }
            catch (IOException)
            {
                // A full disk, or it was removed meanwhile: the log stays as it is, and is tried again.
            }
        }
    }
}
