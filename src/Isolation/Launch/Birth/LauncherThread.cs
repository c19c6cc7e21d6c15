using System.Diagnostics.CodeAnalysis;
using Isolation.Linux;

namespace Isolation.Launch;

/// <summary>
/// The thread that every container is cloned from. It lives as long as the process, because a container's death signal
/// follows the death of the thread, not of the process (prctl(2), PR_SET_PDEATHSIG). Safe from any thread.
/// </summary>
internal sealed class LauncherThread
{
    private readonly Queue<LaunchRequest> _queue = new();
    private BirthSteps? _steps;
    private bool _started;

    internal static LauncherThread Shared { get; } = new();

    internal void Enqueue(LaunchRequest request)
    {
        lock (_queue)
        {
            if (!_started)
            {
                _started = true;
                new Thread(Run, 256 << 10) { Name = "isolation-launcher", IsBackground = true }.Start();
            }

            _queue.Enqueue(request);
            Monitor.Pulse(_queue);
        }
    }

    [DoesNotReturn]
    private void Run()
    {
        while (true)
        {
            LaunchRequest request;
            lock (_queue)
            {
                while (!_queue.TryDequeue(out request!)) Monitor.Wait(_queue);
            }

            try
            {
                Launch(request);
            }
            catch (Exception exception)
            {
                // Whatever went wrong belongs to this launch; the thread must live on.
                request.Error = exception;
            }

            request.OnBorn(request);
        }
    }

    private unsafe void Launch(LaunchRequest request)
    {
        _steps ??= new BirthSteps();
        Span<int> sources = stackalloc int[request.Descriptors.Length];
        for (int i = 0; i < sources.Length; i++) sources[i] = request.Descriptors[i]?.Number ?? -1;
        _steps.Write(sources, request.Image, request.LastCapability);
        int pidfd = -1;
        nint result = CloneCalls.Clone(_steps, request.CloneFlags, &pidfd);
        GC.KeepAlive(request);
        if (Syscall.IsError(result)) throw NamespaceFailures.Explain(result, request.CloneFlags);
        PidDescriptor process = new(pidfd);
        if (_steps.Failed())
        {
            // It has ended already; nobody else knows of it, so it is reaped here.
            while (!process.TryReap(out _)) Thread.Yield();
            process.Dispose();
            throw Syscall.Failure(_steps.Fault, _steps.FaultCall.ToString(), "in the new process, before the launch image");
        }

        request.Process = process;
        request.ProcessId = (int)result;
    }
}
