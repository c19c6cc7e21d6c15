using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Isolation.Launch;
using Isolation.Linux;

namespace Isolation;

/// <summary>
/// One container from the call that starts it to its end. Its parts run on three threads: the caller's prepares, the
/// launcher's gives birth, and the events thread hears the child's messages, its end, and its output.
/// </summary>
internal sealed class ContainerLaunch : IDescriptorHandler
{
    private static readonly Lazy<FileDescriptor> NullDevice = new(() => FileDescriptor.Open("/dev/null", Abi.O_RDWR));

    private readonly CompiledLaunch _compiled;
    private readonly long _startTimestamp = Stopwatch.GetTimestamp();
    private readonly ChannelMessages _messages = new();
    private readonly TaskCompletionSource<Container> _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<ContainerResult> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationToken _cancellation;
    private readonly FileDescriptor _channel;
    private readonly FileDescriptor _image;
    private readonly int _imageNumber;
    private readonly OutputCapture _output;
    private readonly OutputCapture _error;
    private readonly Lock _gate = new();
    private FileDescriptor[] _childDescriptors;
    private CancellationTokenRegistration _cancellationRegistration;
    private Registration? _channelRegistration;
    private ExitWatch? _exit;
    private Exception? _failure;
    private bool _kill;
    private bool _channelClosed;
    private bool _goSent;
    private bool _awaitsSuccessor;

    private ContainerLaunch(ContainerSpec spec, CompiledLaunch compiled, CancellationToken cancellationToken)
    {
        Spec = spec;
        _compiled = compiled;
        _cancellation = cancellationToken;
        _awaitsSuccessor = NamespaceSteps.NeedsFork(spec.Namespaces);
        Id = RandomNumberGenerator.GetHexString(LaunchPlanner.IdLength, lowercase: true);
        List<FileDescriptor> opened = new(6);
        try
        {
            (FileDescriptor channel, FileDescriptor childChannel) = Track(opened, Descriptors.SocketPair(Abi.SOCK_SEQPACKET));
            (FileDescriptor output, FileDescriptor childOutput) = Track(opened, Descriptors.Pipe());
            (FileDescriptor error, FileDescriptor childError) = Track(opened, Descriptors.Pipe());
            Syscall.Check(Syscall.fcntl(channel.Number, Abi.F_SETFL, Abi.O_RDWR | Abi.O_NONBLOCK), "fcntl", "F_SETFL, O_NONBLOCK");
            Syscall.Check(Syscall.fcntl(output.Number, Abi.F_SETFL, Abi.O_NONBLOCK), "fcntl", "F_SETFL, O_NONBLOCK");
            Syscall.Check(Syscall.fcntl(error.Number, Abi.F_SETFL, Abi.O_NONBLOCK), "fcntl", "F_SETFL, O_NONBLOCK");
            List<NamespaceKind> joined = PassedDescriptors.JoinedKinds(spec.Namespaces);
            FileDescriptor[] descriptors = new FileDescriptor[PassedDescriptors.FirstNamespace + joined.Count];
            (descriptors[0], descriptors[1], descriptors[2], descriptors[PassedDescriptors.Channel]) = (NullDevice.Value, childOutput, childError, childChannel);
            for (int i = 0; i < joined.Count; i++)
            {
                descriptors[PassedDescriptors.FirstNamespace + i] = NamespaceDescriptors.Open(joined[i], spec.Namespaces[joined[i]]);
                opened.Add(descriptors[PassedDescriptors.FirstNamespace + i]);
            }

            _childDescriptors = descriptors;
            (_image, _imageNumber) = ImageCache.Shared.Use(compiled.Image);
            _channel = channel;
            _output = new(output, spec.OutputLimit);
            _error = new(error, spec.OutputLimit);
        }
        catch
        {
            foreach (FileDescriptor descriptor in opened) descriptor.Dispose();
            throw;
        }
    }

    internal string Id { get; }

    internal ContainerSpec Spec { get; }

    internal int ProcessId { get; private set; }

    internal PidDescriptor Process => _exit!.Process;

    /// <summary>Completes when the program runs; fails when it cannot.</summary>
    internal Task<Container> Started => _started.Task;

    /// <summary>Completes when the container is gone; fails where it never started.</summary>
    internal Task<ContainerResult> Ended => _ended.Task;

    internal IReadOnlyList<EnforcementEntry> Enforcement => field ??= EnforcementReport.Of(_compiled, _messages.Notes);

    /// <summary>Starts a container. What can be known before anything is made is thrown from here.</summary>
    internal static ContainerLaunch Begin(ContainerSpec spec, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ContainerLaunch launch = new(spec, spec.Compile(), cancellationToken);
        if (spec.HasBinds) SharedTmpfs.Note(launch);
        launch.Enqueue();
        return launch;
    }

    /// <summary>
    /// Kills the first process, now or as soon as there is one. One that may just have made its successor and not yet said
    /// so is left to say it: else nobody would know of the successor.
    /// </summary>
    internal void Kill()
    {
        ExitWatch? exit;
        lock (_gate)
        {
            _kill = true;
            exit = _goSent && _awaitsSuccessor ? null : _exit;
        }

        exit?.Kill();
    }

    private void Enqueue()
    {
        _cancellationRegistration = _cancellation.UnsafeRegister(static state => ((ContainerLaunch)state!).Kill(), this);
        LauncherThread.Shared.Enqueue(new LaunchRequest
        {
            Image = _imageNumber,
            Descriptors = _childDescriptors,
            CloneFlags = _compiled.CloneFlags,
            LastCapability = _compiled.Maps is null ? -1 : _compiled.Inputs.Host.LastCapability,
            OnBorn = OnBorn,
        });
    }

    private void OnBorn(LaunchRequest request)
    {
        _image.DangerousRelease();
        CloseChildDescriptors();
        if (request.Process is null)
        {
            Fail(request.Error is LinuxException cause ? LaunchFailures.Preparing(cause) : request.Error!);
            return;
        }

        ProcessId = request.ProcessId;
        bool kill;
        lock (_gate)
        {
            _exit = new ExitWatch(this, request.Process);
            kill = _kill;
        }

        try
        {
            _channelRegistration = DescriptorEvents.Shared.Add(_channel, Abi.EPOLLIN, this);
            _output.Start();
            _error.Start();
            if (kill) _exit.Kill();
            else LetGo(request.ProcessId);
        }
        catch (Exception exception)
        {
            Abandon(exception);
        }

        // Last: from here on the events thread may end everything at any time.
        try
        {
            _exit.Start();
        }
        catch (Exception exception)
        {
            // Its end cannot be watched: it is ended here and now.
            _exit.Kill();
            while (!_exit.Process.TryReap(out _)) Thread.Sleep(1);
            Fail(exception);
        }
    }

    /// <summary>Writes the identity maps and tells the child to go on.</summary>
    private void LetGo(int processId)
    {
        if (_compiled.Maps is { NeedsMapTools: true } maps)
        {
            _ = LetGoWithToolsAsync(processId, maps);
            return;
        }

        if (_compiled.Maps is not null) IdentityMapWriter.Write(processId, _compiled.Maps);
        SendGo();
    }

    private async Task LetGoWithToolsAsync(int processId, IdentityMaps maps)
    {
        try
        {
            await Task.Yield();
            await IdentityMapWriter.WriteWithToolsAsync(processId, maps, _cancellation).ConfigureAwait(false);
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
            if (_kill) return; // it waits for this message, and is killed while it does
            _goSent = true;
        }

        Descriptors.Write(_channel, message);
    }

    /// <summary>The child exists and cannot go on: it is killed, and its end reports why.</summary>
    private void Abandon(Exception exception)
    {
        lock (_gate) _failure ??= exception;
        Kill();
    }

    /// <summary>The channel: messages until the program starts, which closes it.</summary>
    public void OnReady(uint events) => ReadChannel();

    /// <summary>The channel can be heard no more; the container ends, and its end says why.</summary>
    public void OnFault(Exception exception) => Abandon(exception);

    private void ReadChannel()
    {
        Span<byte> message = stackalloc byte[ChannelMessages.Longest];
        while (!_channelClosed)
        {
            nint count = Descriptors.TryRead(_channel, message);
            if (Syscall.Is(count, Errno.EAGAIN)) return;
            if (count <= 0)
            {
                CloseChannel();
                if (_messages.Fault is null && _failure is null && !_kill) OnStarted();
                return;
            }

            int successor = _messages.Add(message[..(int)count]);
            if (successor != 0) Succeed(successor);
        }
    }

    /// <summary>The program is not the child we made but one that it made in our name (CLONE_PARENT): it takes over.</summary>
    private void Succeed(int processId)
    {
        PidDescriptor process = PidDescriptor.Open(processId); // not reaped by anybody but us, so the number is still its own
        ExitWatch successor = new(this, process);
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
        successor.Start();
    }

    private void OnStarted()
    {
        LogFallbacks();
        _started.TrySetResult(new Container(this));
    }

    /// <summary>The last process of the launch has ended; on the events thread.</summary>
    private void OnEnded(WaitStatus status)
    {
        // What it said and wrote before it ended is still in the channel and the pipes.
        ReadChannel();
        CloseChannel();
        try
        {
            Complete(status, _output.Finish(), _error.Finish());
        }
        catch (Exception exception)
        {
            Complete(exception);
        }
    }

    private void Complete(WaitStatus status, CapturedOutput output, CapturedOutput error)
    {
        _cancellationRegistration.Dispose();
        SharedTmpfs.Forget(this);
        Exception? failure = _failure;
        if (failure is null && _messages.Fault is not null) failure = LaunchFailures.Explain(_compiled, Spec, _messages);
        bool cancelled = _kill && _cancellation.IsCancellationRequested;
        if (!_started.Task.IsCompleted && (cancelled || failure is not null))
        {
            Complete(cancelled ? new OperationCanceledException(_cancellation) : failure!);
            return;
        }

        // Killed before its program started, by somebody else: that is how it ended.
        _started.TrySetResult(new Container(this));
        _ended.TrySetResult(new ContainerResult(status, output, error, Stopwatch.GetElapsedTime(_startTimestamp)));
    }

    private void Fail(Exception exception)
    {
        CloseChannel();
        _output.Finish();
        _error.Finish();
        _cancellationRegistration.Dispose();
        SharedTmpfs.Forget(this);
        Complete(exception);
    }

    private void Complete(Exception exception)
    {
        _started.TrySetException(exception);
        _ended.TrySetException(exception);
        _ = _started.Task.Exception; // whoever awaits either task hears of it; the other must not count as unobserved
        _ = _ended.Task.Exception;
    }

    private void CloseChannel()
    {
        if (_channelClosed) return;
        _channelClosed = true;
        _channelRegistration?.Dispose();
        _channel.Dispose();
    }

    private void CloseChildDescriptors()
    {
        for (int i = 1; i < _childDescriptors.Length; i++) _childDescriptors[i].Dispose();
        _childDescriptors = [];
    }

    private static (FileDescriptor, FileDescriptor) Track(List<FileDescriptor> opened, (FileDescriptor First, FileDescriptor Second) pair)
    {
        opened.Add(pair.First);
        opened.Add(pair.Second);
        return pair;
    }

    private void LogFallbacks()
    {
        if (_messages.Notes is null) return;
        foreach (int note in _messages.Notes) LaunchLog.Fallback(Spec.Logger, Id, _compiled.Notes[note].Feature, _compiled.Notes[note].Detail);
    }

    /// <summary>Waits for the end of one process by its pidfd, and reaps it.</summary>
    private sealed class ExitWatch : IDescriptorHandler
    {
        private readonly ContainerLaunch _launch;
        private readonly Registration _registration;
        private bool _ended;

        internal ExitWatch(ContainerLaunch launch, PidDescriptor process)
        {
            _launch = launch;
            Process = process;
            _registration = DescriptorEvents.Shared.Prepare(process, this);
        }

        internal PidDescriptor Process { get; }

        internal bool IsPredecessor { get; set; }

        internal void Start() => _registration.Start(Abi.EPOLLIN);

        internal void Kill()
        {
            try
            {
                Process.SendSignal(Abi.SIGKILL);
            }
            catch (ObjectDisposedException)
            {
                // It has ended and was reaped.
            }
        }

        public void OnReady(uint events)
        {
            // It may have announced a successor just before it ended.
            if (!IsPredecessor) _launch.ReadChannel();
            if (!Process.TryReap(out WaitStatus status)) return;
            _ended = true;
            _registration.Dispose();
            Process.Dispose();
            if (!IsPredecessor) _launch.OnEnded(status);
        }

        /// <summary>Its end will not be heard of: it is ended and reaped here, and whoever waits is told why.</summary>
        public void OnFault(Exception exception)
        {
            if (_ended) return;
            Kill();
            Task.Run(() =>
            {
                try
                {
                    while (!Process.TryReap(out _)) Thread.Sleep(1);
                    Process.Dispose();
                }
                finally
                {
                    _launch.Fail(exception);
                }
            });
        }
    }
}
