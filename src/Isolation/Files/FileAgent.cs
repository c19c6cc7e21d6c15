using System.Buffers.Binary;
using Isolation.Launch;
using Isolation.Linux;

namespace Isolation;

/// <summary>
/// File calls made by a process in the container's user and mount namespaces, as their root (<see cref="FileAgentSteps"/>).
/// For one thread. Disposing it ends the process.
/// </summary>
internal sealed class FileAgent : FileCalls, IDisposable
{
    private readonly ContainerLaunch _launch;
    private readonly FileDescriptor _socket;
    private readonly CancellationToken _cancellation;
    private readonly byte[] _request = new byte[FileAgentSteps.Length(FileAgentRequest.SetAttribute)];

    private FileAgent(ContainerLaunch launch, FileDescriptor socket, CancellationToken cancellation) =>
        (_launch, _socket, _cancellation) = (launch, socket, cancellation);

    /// <param name="container">Runs, paused or not, in a user namespace other than the host's.</param>
    /// <param name="cancellationToken">Kills the agent, so that a call that hangs ends.</param>
    internal static FileAgent Start(Container container, CancellationToken cancellationToken)
    {
        (FileDescriptor own, FileDescriptor other) = Descriptors.SocketPair(Abi.SOCK_SEQPACKET);
        using (other)
        {
            try
            {
                return new FileAgent(ContainerLaunch.Begin(container.Files.AgentSpec, cancellationToken, other), own, cancellationToken);
            }
            catch
            {
                own.Dispose();
                throw;
            }
        }
    }

    /// <summary>Whether there can be one: not where the container shares the caller's user namespace, and so has no other rights.</summary>
    internal static bool CanServe(Container container) =>
        container.IsRunning && !container.Spec.Namespaces.IsHost(NamespaceKind.User) && !container.Spec.Namespaces.IsHost(NamespaceKind.Mount);

    public void Dispose()
    {
        _socket.Dispose(); // it reads the end, and ends
        _launch.Kill();
    }

    internal override nint Open(FileDescriptor directory, ReadOnlySpan<byte> path, int flags, uint mode = 0, ulong resolve = 0)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(_request, (uint)(flags | Abi.O_CLOEXEC));
        BinaryPrimitives.WriteUInt64LittleEndian(_request.AsSpan(8), (flags & Abi.O_CREAT) != 0 ? mode : 0);
        BinaryPrimitives.WriteUInt64LittleEndian(_request.AsSpan(16), resolve);
        return Ask(FileAgentRequest.Open, directory, path);
    }

    internal override nint Reopen(FileDescriptor found, FileDescriptor directory, ReadOnlySpan<byte> name, int flags)
    {
        // By its name once more, since a descriptor cannot be reopened without a procfs that can be trusted; what comes is
        // compared. That nothing happens by opening the wrong file is due to O_NONBLOCK, and to devices, which no mount of a
        // user namespace opens.
        nint result = Open(directory, name, flags | Abi.O_NONBLOCK | Abi.O_NOCTTY, 0, Abi.RESOLVE_IN_ROOT | Abi.RESOLVE_NO_MAGICLINKS);
        if (Syscall.IsError(result)) return result;
        FileDescriptor file = new((int)result);
        if (FileStatus.Of(file).IsSameFile(FileStatus.Of(found))) return Released(file);
        file.Dispose();
        return -(int)Errno.ESTALE;
    }

    internal override nint MakeDirectory(FileDescriptor directory, ReadOnlySpan<byte> name, uint mode) => Ask(FileAgentRequest.MakeDirectory, directory, name, mode);

    internal override nint MakeNode(FileDescriptor directory, ReadOnlySpan<byte> name, uint mode) => Ask(FileAgentRequest.MakeNode, directory, name, mode);

    internal override nint MakeLink(ReadOnlySpan<byte> target, FileDescriptor directory, ReadOnlySpan<byte> name) => Ask(FileAgentRequest.MakeLink, directory, name, 0, target);

    internal override nint AddName(FileDescriptor fromDirectory, ReadOnlySpan<byte> from, FileDescriptor directory, ReadOnlySpan<byte> name) =>
        Ask(FileAgentRequest.AddName, directory, name, 0, from, fromDirectory);

    internal override nint Rename(FileDescriptor directory, ReadOnlySpan<byte> from, ReadOnlySpan<byte> to) => Ask(FileAgentRequest.Rename, directory, to, 0, from);

    internal override nint Remove(FileDescriptor directory, ReadOnlySpan<byte> name) => Ask(FileAgentRequest.Remove, directory, name);

    internal override nint ChangeMode(FileDescriptor file, uint mode) => Ask(FileAgentRequest.ChangeMode, file, "\0"u8, mode);

    internal override nint ChangeModified(FileDescriptor directory, ReadOnlySpan<byte> name, (long Seconds, uint Nanoseconds) modified)
    {
        BinaryPrimitives.WriteInt64LittleEndian(_request, 0);
        BinaryPrimitives.WriteInt64LittleEndian(_request.AsSpan(8), Abi.UTIME_OMIT);
        BinaryPrimitives.WriteInt64LittleEndian(_request.AsSpan(16), modified.Seconds);
        BinaryPrimitives.WriteInt64LittleEndian(_request.AsSpan(24), modified.Nanoseconds);
        return Ask(FileAgentRequest.ChangeModified, directory, name);
    }

    /// <summary>As the other, but for values of more than 4 KiB: E2BIG.</summary>
    internal override nint SetAttribute(FileDescriptor file, ReadOnlySpan<byte> attribute, ReadOnlySpan<byte> value) =>
        value.Length > FileAgentSteps.TextSize ? -(int)Errno.E2BIG : Ask(FileAgentRequest.SetAttribute, file, attribute, (ulong)value.Length, value);

    /// <summary>Kept by the container's files, so that its image is made once.</summary>
    internal static ContainerSpec Spec(Container container)
    {
        NamespaceSet namespaces = new();
        for (NamespaceKind kind = NamespaceKind.User; kind <= NamespaceKind.Time; kind++)
            namespaces = namespaces.With(kind, kind is NamespaceKind.User or NamespaceKind.Mount ? NamespaceSource.Of(container) : NamespaceSource.Host);
        return new ContainerSpec
        {
            Namespaces = namespaces,
            Command = ["files"],
            ServesFiles = true,
            Logger = container.Spec.Logger,
            EntersContainer = container,
        };
    }

    private nint Ask(FileAgentRequest kind, FileDescriptor directory, ReadOnlySpan<byte> name, ulong number, ReadOnlySpan<byte> other = default, FileDescriptor? second = null)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(_request, number);
        return Ask(kind, directory, name, other, second);
    }

    private nint Ask(FileAgentRequest kind, FileDescriptor directory, ReadOnlySpan<byte> name, ReadOnlySpan<byte> other = default, FileDescriptor? second = null)
    {
        if (name.Length > FileAgentSteps.TextSize || other.Length > FileAgentSteps.TextSize) return -(int)Errno.ENAMETOOLONG;
        name.CopyTo(_request.AsSpan(FileAgentSteps.FirstText));
        other.CopyTo(_request.AsSpan(FileAgentSteps.SecondText));
        if (Syscall.IsError(Descriptors.TrySend(_socket, _request.AsSpan(0, FileAgentSteps.Length(kind)), directory, second ?? directory))) throw Ended();
        Span<byte> answer = stackalloc byte[8];
        nint count = Descriptors.TryReceive(_socket, answer, out FileDescriptor? opened, wait: true);
        if (opened is not null) return Released(opened);
        return count == answer.Length ? (nint)BinaryPrimitives.ReadInt64LittleEndian(answer) : throw Ended();
    }

    /// <summary>The number alone, as a call returns it.</summary>
    private static nint Released(FileDescriptor file)
    {
        nint number = file.Number;
        file.SetHandleAsInvalid();
        return number;
    }

    private Exception Ended()
    {
        if (_cancellation.IsCancellationRequested) return new OperationCanceledException(_cancellation);
        _launch.Kill();
        try
        {
            _launch.Ended.GetAwaiter().GetResult();
        }
        catch (Exception exception)
        {
            return exception;
        }

        return new LinuxException("recvmsg", "the container's file agent", Errno.EPIPE, "The process that opens files in the container ended.");
    }
}
