using Isolation.Launch;
using Isolation.Linux;

namespace Isolation;

/// <summary>What the child says until its program starts, and what is done about it; on the events thread.</summary>
internal sealed partial class ContainerLaunch
{
    /// <summary>The channel: messages until the program starts, which closes it.</summary>
    public void OnReady(uint events) => ReadChannel();

    /// <summary>The channel can be heard no more; the container ends, and its end says why.</summary>
    public void OnFault(Exception exception) => Abandon(exception);

    /// <summary>Takes in what the child has said; on the events thread.</summary>
    internal void ReadChannel()
    {
        Span<byte> message = stackalloc byte[ChannelMessages.Longest];
        while (!_channelClosed)
        {
            nint count = Receive(message, out FileDescriptor? descriptor);
            if (Syscall.Is(count, Errno.EAGAIN)) return;
            if (count == 0)
            {
                CloseChannel();
                if (_messages.Fault is null && _failure is null && !_kill) OnStarted();
                return;
            }

            if (descriptor is not null)
            {
                _messages.Add(message[..(int)count], descriptor);
                if (Terminal is null && _messages.Terminal is { } master) TakeTerminal(master);
                if (_listener is null && _messages.Listener is { } listener) Listen(listener);
                continue;
            }

            int successor = _messages.Add(message[..(int)count]);
            if (successor != 0) Succeed(successor);
            if (_messages.Stage != LaunchStage.None) Reached(_messages.Stage);
        }
    }

    private void Reached(LaunchStage stage)
    {
        _messages.Stage = LaunchStage.None;
        if (stage == LaunchStage.Ready)
        {
            if (_failure is not null) return; // what it has said before could not be taken, and it is killed
            LogFallbacks();
            _ready.TrySetResult();
        }
        else _ = AtStageAsync(stage);
    }

    /// <summary>What the caller does at a stage; then the launch goes on.</summary>
    private async Task AtStageAsync(LaunchStage stage)
    {
        try
        {
            await Task.Run(() => Spec.OnStage!(stage, ProcessId)).ConfigureAwait(false);
            SendGo();
        }
        catch (Exception exception)
        {
            Abandon(exception);
        }
    }

    /// <summary>From here on the host decides about calls of the program.</summary>
    private void Listen(FileDescriptor listener)
    {
        if (Spec.Agent is { } agent)
        {
            using (listener) agent.Send(listener, ProcessId);
            return;
        }

        if (Spec.Interception is not { } interception)
        {
            listener.Dispose();
            return;
        }

        _listener = new SystemCallListener(listener, interception, Observer.HandlerFailed);
        _listener.Start();
    }

    /// <summary>Tried more than once: nobody else knows of a successor that is announced here.</summary>
    private nint Receive(Span<byte> message, out FileDescriptor? descriptor)
    {
        for (int attempt = 0; ; attempt++)
        {
            nint count = Descriptors.TryReceive(_descriptors.Channel, message, out descriptor);
            if (count >= 0 || Syscall.Is(count, Errno.EAGAIN)) return count;
            if (attempt == 2) throw Syscall.Failure(count, "recvmsg", "what the new process says");
        }
    }

    /// <summary>The master of the program's terminal: the caller's, or where nobody has the container in hands, the result's.</summary>
    private void TakeTerminal(FileDescriptor master)
    {
        if (Spec.OnTerminal is { } take)
        {
            using (master) take(master);
            return;
        }

        if (_unattended)
        {
            if (_shown is not null) return;
            NonBlocking.Set(master);
            _shown = new OutputCapture(master, Spec.OutputLimit, isTerminal: true);
            _shown.Start();
            return;
        }

        Terminal = new ContainerTerminal(master);
    }

    private void CloseChannel()
    {
        if (_channelClosed) return;
        lock (_gate) _channelClosed = true; // nobody is in the middle of writing to it
        _channelRegistration?.Dispose();
        _descriptors.Channel.Dispose();
    }
}
