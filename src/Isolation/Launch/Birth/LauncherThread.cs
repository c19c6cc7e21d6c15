using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using Isolation.Cgroups;
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
                // Unsafe: it outlives the caller, and must not keep its execution context (async locals, its activity) alive.
                new Thread(Run, 256 << 10) { Name = "isolation-launcher", IsBackground = true }.UnsafeStart();
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

            request.Taken = Stopwatch.GetTimestamp();
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
        nint result = 0;

        // Beneath a group that somebody else may freeze, a child would stand still before it leaves this memory, and all launches with it.
        bool inside = request is { Group: { } place, IsGroupForeign: false } && !Syscall.IsError(result = CloneCalls.CloneInto(place.Directory.Number, _steps, request.CloneFlags, &pidfd));
        if (!inside) result = CloneCalls.Clone(_steps, request.CloneFlags, &pidfd);
        GC.KeepAlive(request);
        if (Syscall.IsError(result)) throw NamespaceFailures.Explain(result, request.CloneFlags);
        PidDescriptor process = new(pidfd);
        if (_steps.Failed())
        {
            Reap(process);
            throw Syscall.Failure(_steps.Fault, _steps.FaultCall.ToString(), "in the new process, before the launch image");
        }

        if (!inside && request.Group is { } group) Move(process, (int)result, group);
        request.Process = process;
        request.ProcessId = (int)result;
    }

    /// <summary>It does nothing before it is told to go on.</summary>
    private static void Move(PidDescriptor process, int processId, GroupDirectory group)
    {
        nint result = group.TryWrite("cgroup.procs", $"{processId}");
        if (result == 0) return;
        process.SendSignal(Abi.SIGKILL);
        Reap(process);
        throw Syscall.Failure(result, "write", $"{group.Path}/cgroup.procs, \"{processId}\"");
    }

    /// <summary>It has ended or is about to; nobody else knows of it.</summary>
    private static void Reap(PidDescriptor process)
    {
        while (!process.TryReap(out _)) Thread.Yield();
        process.Dispose();
    }
}
