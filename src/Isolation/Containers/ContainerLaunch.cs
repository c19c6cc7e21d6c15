using System.Runtime.InteropServices;
using System.Text;
using Isolation.Launch;
using Isolation.Linux;
using Microsoft.Win32.SafeHandles;

namespace Isolation;

/// <summary>
/// One container from the call that starts it to its end. Its parts run on three threads: the caller's prepares, the
/// launcher's gives birth, and the events thread hears the child's messages, its end, and its output.
/// </summary>
#pragma warning disable CA1001 // It ends when its program does, and lets go of everything then.
internal sealed partial class ContainerLaunch : IDescriptorHandler
#pragma warning restore CA1001
{
    private readonly CompiledLaunch _compiled;
    private readonly ChannelMessages _messages = new();
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<ContainerResult> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationToken _cancellation;
    private readonly ChildDescriptors _descriptors;
    private readonly FileDescriptor _image;
    private readonly int _imageNumber;
    private readonly RecordFile? _record;
    private readonly LaunchClaims _claims;
    private readonly Lock _gate = new();
    private CancellationTokenRegistration _cancellationRegistration;
    private Registration? _channelRegistration;
    private ExitWatch? _exit;
    private Exception? _failure;
    private bool _kill;
    private ContainerOutcome _killedFor;
    private Timer? _timer; // stopped when the program has ended
    private bool _channelClosed;
    private bool _goSent;
    private bool _awaitsSuccessor;

    // Until it executes, a new process shares this one's memory (CLONE_VM), and the kernel counts that as its own peak
    // (ru_maxrss, getrusage(2)): a peak that is not above this says nothing. A process that was made further on is free of it.
    private long _peakFloor;
    private readonly bool _unattended;
    private readonly long? _oomKillsBefore; // of the container that a further program enters
    private SystemCallListener? _listener;
    private OutputCapture? _shown; // what an unattended program's terminal shows

    private ContainerLaunch(ContainerSpec spec, CompiledLaunch compiled, LaunchClaims claims, LaunchObserver observer, FileDescriptor? socket, bool unattended, CancellationToken cancellationToken)
    {
        _claims = claims;
        Spec = spec;
        _unattended = unattended;
        _compiled = compiled;
        _cancellation = cancellationToken;
        _awaitsSuccessor = NamespaceSteps.NeedsFork(spec.Namespaces);
        Observer = observer;
        Streams = new StandardStreams(spec);
        try
        {
            // Before anything is made that could outlive this process.
            if (spec.IsRecorded) _record = (spec.Host ?? IsolationHost.Default).Record(this);
            Group = ContainerGroup.Make(spec, Id, _record);
            _oomKillsBefore = spec.EntersContainer?.Launch.Group?.ReadOomKills();
            _descriptors = new ChildDescriptors(spec, compiled.Inputs.Passed, Streams, socket, spec.EnteredGroup(Group));
            (_image, _imageNumber) = ImageCache.Shared.Use(compiled.Image);
        }
        catch (Exception exception)
        {
            Complete(Explained(exception)); // who disposes the host may know of this launch already, and wait for its end
            _descriptors?.Dispose();
            throw;
        }
    }

    internal string Id => Observer.Id;

    internal LaunchObserver Observer { get; }

    internal ContainerSpec Spec { get; }

    internal int ProcessId { get; private set; }

    /// <summary>The identity maps of a user namespace that it made; else null.</summary>
    internal IdentityMaps? Maps => _compiled.Maps;

    /// <summary>Whether the exit status stays for the next parent of the program, which this process ends before.</summary>
    internal bool LeavesExit => Spec.LeavesExit && (_ready.Task.IsCompletedSuccessfully || _started.Task.IsCompletedSuccessfully);

    internal SelinuxLabels? Labels => _compiled.Inputs.Labels;

    internal PidDescriptor Process => _exit!.Process;

    /// <summary>The program that an init has started; null without one, and where it has ended.</summary>
    internal int? ProgramId
    {
        get
        {
            try
            {
                return _messages.Program?.ReadProcessId() is > 0 and { } process ? process : null;
            }
            catch (ObjectDisposedException)
            {
                return null;
            }
        }
    }

    /// <summary>Completes when nothing but the word to start is missing; fails where it never gets that far. Of a launch with a gate.</summary>
    internal Task Ready => _ready.Task;

    /// <summary>Completes when the program runs; fails when it cannot.</summary>
    internal Task Started => _started.Task;

    internal StandardStreams Streams { get; }

    /// <summary>Completes when the container is gone; fails where it never started.</summary>
    internal Task<ContainerResult> Ended => _ended.Task;

    internal IReadOnlyList<EnforcementEntry> Enforcement => field ??= EnforcementReport.Of(_compiled, _messages.Notes, _root, Group, _ended.Task.IsCompleted ? null : KernelReading.Of(_messages.Program ?? Process));

    /// <summary>Starts a program that runs to its end while nobody has it in hands.</summary>
    /// <exception cref="InvalidOperationException">A stream is the caller's to read or write, who cannot get at it.</exception>
    internal static ContainerLaunch BeginUnattended(ContainerSpec spec, CancellationToken cancellationToken, FileDescriptor? gate = null)
    {
        if (spec.Input is PipeInput || spec.Output is PipeTarget || spec.Error is PipeTarget)
            throw new InvalidOperationException("RunAsync leaves nobody to read or write a pipe, and the program would wait for ever: use StartAsync, or another source or target.");
        return Begin(spec, cancellationToken, unattended: true, gate: gate);
    }

    /// <summary>Starts a container. What can be known before anything is made is thrown from here.</summary>
    /// <param name="spec">What to start.</param>
    /// <param name="cancellationToken">Kills it.</param>
    /// <param name="socket">Of a spec that serves files, where the requests come from; stays the caller's.</param>
    /// <param name="unattended">Nobody gets hold of its streams: what a terminal shows is captured.</param>
    /// <param name="gate">Of a spec with a gate, where the word to start comes from; the launch's from here on.</param>
    internal static ContainerLaunch Begin(ContainerSpec spec, CancellationToken cancellationToken, FileDescriptor? socket = null, bool unattended = false, FileDescriptor? gate = null)
    {
        cancellationToken.ThrowIfCancellationRequested();
        LaunchObserver observer = new(spec);
        ContainerLaunch launch;
        LaunchClaims? claims = null;
        try
        {
            claims = LaunchClaims.Take(spec);
            launch = new(spec, spec.Compile(observer.Id, claims), claims, observer, socket, unattended, cancellationToken);
        }
        catch (Exception exception)
        {
            claims?.Dispose();
            Exception failure = exception is LinuxException cause ? LaunchFailures.Preparing(cause) : exception;
            observer.Failed(failure);
            if (failure != exception) throw failure;
            throw;
        }

        if (gate is not null) launch._descriptors.Pass(launch._compiled.Inputs.Passed.Gate, gate);
        if (spec.HasBinds) SharedTmpfs.Note(launch);
        if (HostedRoot.IsNeeded(launch._compiled.Inputs)) _ = launch.EnqueueWithRootAsync();
        else launch.Enqueue();
        return launch;
    }

    /// <summary>Where the program is in its life.</summary>
    internal ContainerState State => _ended.Task.IsCompleted ? ContainerState.Ended
        : !_started.Task.IsCompleted ? ContainerState.Starting
        : (Spec.EntersContainer?.Launch ?? this).IsPaused ? ContainerState.Paused : ContainerState.Running;

    /// <summary>Whether all processes of the container are stopped; of its first program, which the others follow.</summary>
    internal bool IsPaused { get; set; }

    internal ContainerTerminal? Terminal { get; private set; }

    /// <summary>What is done when it has ended; complete where there is nothing.</summary>
    internal Task Afterwards { get; set; } = Task.CompletedTask;

    /// <summary>The control group of a container that has one of its own.</summary>
    internal ContainerGroup? Group { get; }

    /// <summary>
    /// Whether the program has ended, or is about to: its namespaces refuse newcomers a moment before its end is heard of.
    /// </summary>
    internal async Task<bool> EndsSoonAsync()
    {
        // One that was killed ends, however long that takes on a busy machine.
        await ((Task)Ended).WaitAsync(TimeSpan.FromSeconds(1)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return Ended.IsCompleted || IsKilled;
    }

    /// <summary>Places to mount upon that the root lacked, and that were made in its layer.</summary>
    internal IEnumerable<string> MadeTargets => _compiled.Inputs.MissingTargets;

    /// <summary>What the container writes, as the directory that takes it; null where its root has no private layer, or before it is made.</summary>
    internal FileDescriptor? Layer => _messages.Layer ?? _root?.Layer;

    /// <summary>What was made on the host for its root; null where nothing was.</summary>
    internal HostedRoot? Root => _root;

    /// <summary>Lets go of what the caller reads and writes.</summary>
    internal void DisposeStreams()
    {
        Streams.DisposePipes();
        Terminal?.Stream.Dispose();
    }

    private void Enqueue()
    {
        _cancellationRegistration = _cancellation.UnsafeRegister(static state => ((ContainerLaunch)state!).Kill(ContainerOutcome.Cancelled), this);
        Observer.Prepared();
        LauncherThread.Shared.Enqueue(new LaunchRequest
        {
            Image = _imageNumber,
            Descriptors = _descriptors.Passed,
            CloneFlags = _compiled.CloneFlags,
            LastCapability = _compiled.Maps is null ? -1 : _compiled.Inputs.Host.LastCapability,
            Group = Spec.EntersContainer is null ? Group?.Birthplace : null,
            IsGroupForeign = Spec.CgroupParent is not null,
            OnBorn = OnBorn,
        });
    }

    /// <summary>As <see cref="Enqueue"/>, when the host has made its part of the root.</summary>
    private async Task EnqueueWithRootAsync()
    {
        try
        {
            Interlocked.Increment(ref _recordHolders);
            _root = new HostedRoot(_compiled.Inputs);
            await _root.MakeAsync(_record, _cancellation).ConfigureAwait(false);
            foreach ((int number, FileDescriptor passed) in _root.ToPass()) _descriptors.Pass(number, passed);
            Enqueue();
        }
        catch (Exception exception)
        {
            _image.DangerousRelease();
            Streams.CloseChildEnds();
            _descriptors.CloseChildEnds();
            Fail(Explained(exception));
        }
    }

    private void OnBorn(LaunchRequest request)
    {
        Observer.Born(request);
        _image.DangerousRelease();
        Streams.CloseChildEnds();
        _descriptors.CloseChildEnds();
        if (request.Process is null)
        {
            Fail(Explained(request.Error!));
            return;
        }

        ProcessId = request.ProcessId;
        if (!_awaitsSuccessor) _peakFloor = ProcessUsage.PeakResidentBytes() ?? long.MaxValue;
        ExitWatch exit = new(this, request.Process); // by name: the events thread may have put a successor's in its place
        bool kill;
        lock (_gate)
        {
            _exit = exit;
            kill = _kill;
        }

        try
        {
            // It waits for a word from us and ends without one, so nothing of it is lost before it is recorded.
            _record?.AddProcess(request.ProcessId, last: !_awaitsSuccessor);
            if (Spec.OutlivesHost) _claims.KeepFor(request.ProcessId);
            // Known before it can be heard: a child that was killed meanwhile closes the channel at once.
            _channelRegistration = DescriptorEvents.Shared.Prepare(_descriptors.Channel, this);
            _channelRegistration.Start(Abi.EPOLLIN);
            Streams.Start();
            if (kill) exit.Kill();
            else LetGo(request.ProcessId);
        }
        catch (Exception exception)
        {
            Abandon(exception);
        }

        // Last: from here on the events thread may end everything at any time.
        Watch(exit);
    }

    private void Watch(ExitWatch exit)
    {
        try
        {
            exit.Start();
        }
        catch (Exception exception)
        {
            // Its end cannot be watched: it is ended here and now.
            Abandon(exception);
            exit.Kill();
            while (!exit.Process.TryReap(out _)) Thread.Sleep(1);
            exit.Process.Dispose();
            Fail(Explained(exception));
        }
    }

    /// <summary>Sets priorities, writes the identity maps and tells the child to go on.</summary>
    private void LetGo(int processId)
    {
        ProcessSettings.Apply(processId, Spec);
        if (_compiled.Maps is { NeedsMapTools: true } maps)
        {
            _ = LetGoWithToolsAsync(processId, maps);
            return;
        }

        if (_compiled.Maps is not null) IdentityMapWriter.Write(processId, _compiled.Maps);
        Spec.OnMapped?.Invoke(processId);
        SendGo();
    }

    private async Task LetGoWithToolsAsync(int processId, IdentityMaps maps)
    {
        try
        {
            await Task.Yield();
            await IdentityMapWriter.WriteWithToolsAsync(processId, maps, _cancellation).ConfigureAwait(false);
            Spec.OnMapped?.Invoke(processId);
            SendGo();
        }
        catch (Exception exception)
        {
            Abandon(exception);
        }
    }

    private void SendGo()
    {
        Span<byte> message = stackalloc byte[LaunchPlanner.GoSize];
        Encoding.ASCII.GetBytes(Id, message);
        lock (_gate)
        {
            if (_kill || _channelClosed) return; // killed while it waits for this message, or ended before it could
            Descriptors.Write(_descriptors.Channel, message); // there is room for it, so this does not wait
            _goSent = true;
        }
    }

    /// <summary>The child exists and cannot go on: it is killed, and its end reports why.</summary>
    internal void Abandon(Exception exception)
    {
        lock (_gate) _failure ??= Explained(exception);
        KillProcess();
    }

    private static Exception Explained(Exception exception) => exception is LinuxException cause ? LaunchFailures.Preparing(cause) : exception;

    /// <summary>The program is not the child we made but one that it made in our name (CLONE_PARENT): it takes over.</summary>
    private void Succeed(int processId)
    {
        ExitWatch successor = new(this, OpenSuccessor(processId));
        bool kill;
        lock (_gate)
        {
            _exit!.IsPredecessor = true;
            _exit = successor;
            _awaitsSuccessor = false;
            ProcessId = processId;
            kill = _kill;
        }

        if (kill) successor.Kill();
        else Record(processId);
        Watch(successor);
    }

    private PidDescriptor OpenSuccessor(int processId)
    {
        try
        {
            return PidDescriptor.Open(processId); // not reaped by anybody but us, so the number is still its own
        }
        catch
        {
            lock (_gate) _awaitsSuccessor = false;
            Task.Run(() => PidDescriptor.EndChild(processId));
            throw;
        }
    }

    private void Record(int successor)
    {
        try
        {
            _record?.AddProcess(successor, last: true);
            if (Spec.OutlivesHost) _claims.KeepFor(successor);
            if (Spec.OutlivesHost) SendGo();
        }
        catch (Exception exception)
        {
            Abandon(exception);
        }
    }

    private void OnStarted()
    {
        LogFallbacks();
        Observer.Started(ProcessId);

        // Afterwards: nobody is to hear that its time is over before he hears that it has started.
        if (Spec.Timeout is { } timeout) _timer = new Timer(static state => ((ContainerLaunch)state!).Kill(ContainerOutcome.TimedOut), this, timeout, Timeout.InfiniteTimeSpan);
        _started.TrySetResult();
    }

    private void LogFallbacks()
    {
        if ((_root?.Way ?? _compiled.Inputs.Way) is { IsFallback: true } way) Observer.Fallback(new(EnforcementReport.RootFeature, way.Reason));
        foreach (EnforcementNote note in _root?.Notes ?? []) Observer.Fallback(note);
        foreach (int note in _messages.Notes ?? []) Observer.Fallback(_compiled.Notes[note]);
    }
}
