using Isolation.Linux;

namespace Isolation;

/// <summary>
/// File calls in a container, with the rights of its root: made by this process where its own rights are as good, and by an
/// agent in the container's namespaces where they are not. What is made belongs to the container's root. For one thread.
/// </summary>
internal sealed class ContainerFileCalls : FileCalls, IDisposable
{
    private readonly Container _container;
    private readonly CancellationToken _cancellation;
    private readonly OwnFileCalls _own;
    private readonly bool _makesOwn;
    private FileAgent? _agent;

    internal ContainerFileCalls(Container container, CancellationToken cancellationToken)
    {
        (_container, _cancellation) = (container, cancellationToken);
        ContainerIds ids = ContainerIds.Of(container);
        HostFacts host = HostFactsReader.Current;
        _makesOwn = ids.RootUser is null || (ids.RootUser == host.UserId && ids.RootGroup == host.GroupId);
        if (_makesOwn || FileAgent.CanServe(container))
        {
            _own = OwnFileCalls.Instance;
            return;
        }

        // The container has ended, or its root is this user namespace's: there is nobody to make files in its stead.
        _own = host.Has(Capability.Chown) ? new OwnFileCalls((ids.RootUser!.Value, ids.RootGroup ?? ids.RootUser.Value)) : OwnFileCalls.Instance;
        _makesOwn = true;
    }

    public void Dispose() => _agent?.Dispose();

    internal override nint Open(FileDescriptor directory, ReadOnlySpan<byte> path, int flags, uint mode = 0, ulong resolve = 0)
    {
        nint result = (flags & Abi.O_CREAT) != 0 && !_makesOwn ? -(int)Errno.EACCES : _own.Open(directory, path, flags, mode, resolve);
        return Denied(result) is { } agent ? agent.Open(directory, path, flags, mode, resolve) : result;
    }

    internal override nint Reopen(FileDescriptor found, FileDescriptor directory, ReadOnlySpan<byte> name, int flags)
    {
        nint result = _own.Reopen(found, directory, name, flags);
        return Denied(result) is { } agent ? agent.Reopen(found, directory, name, flags) : result;
    }

    internal override nint MakeDirectory(FileDescriptor directory, ReadOnlySpan<byte> name, uint mode)
    {
        nint result = _makesOwn ? _own.MakeDirectory(directory, name, mode) : -(int)Errno.EACCES;
        return Denied(result) is { } agent ? agent.MakeDirectory(directory, name, mode) : result;
    }

    internal override nint MakeNode(FileDescriptor directory, ReadOnlySpan<byte> name, uint mode)
    {
        nint result = _makesOwn ? _own.MakeNode(directory, name, mode) : -(int)Errno.EACCES;
        return Denied(result) is { } agent ? agent.MakeNode(directory, name, mode) : result;
    }

    internal override nint MakeLink(ReadOnlySpan<byte> target, FileDescriptor directory, ReadOnlySpan<byte> name)
    {
        nint result = _makesOwn ? _own.MakeLink(target, directory, name) : -(int)Errno.EACCES;
        return Denied(result) is { } agent ? agent.MakeLink(target, directory, name) : result;
    }

    internal override nint AddName(FileDescriptor fromDirectory, ReadOnlySpan<byte> from, FileDescriptor directory, ReadOnlySpan<byte> name)
    {
        nint result = _own.AddName(fromDirectory, from, directory, name);
        return Denied(result) is { } agent ? agent.AddName(fromDirectory, from, directory, name) : result;
    }

    internal override nint Rename(FileDescriptor directory, ReadOnlySpan<byte> from, ReadOnlySpan<byte> to)
    {
        nint result = _own.Rename(directory, from, to);
        return Denied(result) is { } agent ? agent.Rename(directory, from, to) : result;
    }

    internal override nint Remove(FileDescriptor directory, ReadOnlySpan<byte> name)
    {
        nint result = _own.Remove(directory, name);
        return Denied(result) is { } agent ? agent.Remove(directory, name) : result;
    }

    internal override nint ChangeMode(FileDescriptor file, uint mode)
    {
        nint result = _own.ChangeMode(file, mode);
        return Denied(result) is { } agent ? agent.ChangeMode(file, mode) : result;
    }

    internal override nint ChangeModified(FileDescriptor directory, ReadOnlySpan<byte> name, (long Seconds, uint Nanoseconds) modified)
    {
        nint result = _own.ChangeModified(directory, name, modified);
        return Denied(result) is { } agent ? agent.ChangeModified(directory, name, modified) : result;
    }

    internal override nint SetAttribute(FileDescriptor file, ReadOnlySpan<byte> attribute, ReadOnlySpan<byte> value)
    {
        nint result = _own.SetAttribute(file, attribute, value);
        return Denied(result) is { } agent ? agent.SetAttribute(file, attribute, value) : result;
    }

    /// <summary>The root of the container's mount namespace, by an agent; null where there can be none.</summary>
    internal FileDescriptor? Root()
    {
        if (Denied(-(int)Errno.EACCES) is not { } agent) return null;
        using FileDescriptor any = FileDescriptor.Open("/", Abi.O_PATH);
        return ContainerFiles.Opened(agent.Open(any, "/\0"u8, Abi.O_PATH | TargetAbi.Current.O_DIRECTORY), "/");
    }

    /// <summary>The agent, where a call was denied to this process and might not be to the container's root.</summary>
    private FileAgent? Denied(nint result)
    {
        if (Syscall.ErrnoOf(result) is not (Errno.EACCES or Errno.EPERM or Errno.EOVERFLOW)) return null;
        if (_agent is null && FileAgent.CanServe(_container)) _agent = FileAgent.Start(_container, _cancellation);
        return _agent;
    }
}
