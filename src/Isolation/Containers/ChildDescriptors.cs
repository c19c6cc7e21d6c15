using Isolation.Launch;
using Isolation.Linux;
using Microsoft.Win32.SafeHandles;

namespace Isolation;

/// <summary>
/// The descriptors that a new process is given, in the places where its plan looks for them, and this side's ends of the
/// channel and of the pipe for an init's status.
/// </summary>
internal sealed class ChildDescriptors : IDisposable
{
    private readonly List<FileDescriptor> _childEnds = new(1);

    /// <exception cref="LinuxException">No descriptor is left.</exception>
    internal ChildDescriptors(ContainerSpec spec, PassedDescriptors places, StandardStreams streams, FileDescriptor? socket, ContainerGroup? group)
    {
        Passed = new FileDescriptor?[places.Count];
        (Passed[0], Passed[1], Passed[2]) = (streams.ChildInput, streams.ChildOutput, streams.ChildError);
        (Channel, FileDescriptor childChannel) = Descriptors.SocketPair(Abi.SOCK_SEQPACKET);
        try
        {
            Own(places.Channel, childChannel);
            NonBlocking.Set(Channel);
            if (socket is not null) Own(FileAgentSteps.Socket, Descriptors.Duplicate(socket));
            foreach ((int number, SafeFileHandle handle) in spec.Descriptors) Own(number, Descriptors.Duplicate(handle));
            for (int i = 0; i < places.Joined.Count; i++) Own(places.FirstNamespace + i, NamespaceDescriptors.Open(places.Joined[i]));
            int next = places.FirstGroup;
            foreach (FileDescriptor membership in group?.OpenMembership(spec.EntersContainer?.ProcessId) ?? []) Own(next++, membership);
            if (!spec.Init) return;
            if (spec.ExitFile is { } file)
            {
                Own(places.ExitStatus, FileDescriptor.Open(file, Abi.O_WRONLY));
                return;
            }

            (ExitStatus, FileDescriptor childStatus) = Descriptors.Pipe();
            Own(places.ExitStatus, childStatus);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>By number; null for none.</summary>
    internal FileDescriptor?[] Passed { get; private set; }

    /// <summary>Where the child says how it gets on, until its program starts.</summary>
    internal FileDescriptor Channel { get; }

    /// <summary>Where an init says how its program ended.</summary>
    internal FileDescriptor? ExitStatus { get; }

    /// <summary>Adds one that was made meanwhile; owned from here on.</summary>
    internal void Pass(int number, FileDescriptor descriptor) => Own(number, descriptor);

    /// <summary>The child has its own by now, or there is none.</summary>
    internal void CloseChildEnds()
    {
        foreach (FileDescriptor descriptor in _childEnds) descriptor.Dispose();
        _childEnds.Clear();
        Passed = [];
    }

    public void Dispose()
    {
        CloseChildEnds();
        Channel.Dispose();
        ExitStatus?.Dispose();
    }

    private void Own(int number, FileDescriptor descriptor)
    {
        _childEnds.Add(descriptor);
        Passed[number] = descriptor;
    }
}
