using Isolation.Linux;

namespace Isolation;

/// <summary>
/// The record of one container that this process runs. Written before the thing that it tells of is made, removed when
/// the container is gone. Its methods are called one after the other, by whichever thread is at that point of the launch.
/// </summary>
internal sealed class RecordFile
{
    internal const string Extension = ".jsonl";
    private readonly IsolationHost _host;
    private readonly OwnerDirectory _owner;
    private readonly string _file;
    private FileDescriptor? _opened;
    private IDisposable? _layers; // kept from collections for a container that outlives this process
    private int _deleted;

    private RecordFile(IsolationHost host, OwnerDirectory owner, ContainerLaunch launch, FileDescriptor opened) =>
        (_host, _owner, Launch, _file, _opened) = (host, owner, launch, launch.Id + Extension, opened);

    internal ContainerLaunch Launch { get; }

    /// <exception cref="ContainerException">The record could not be written; there is none then.</exception>
    internal static RecordFile Make(IsolationHost host, OwnerDirectory owner, ContainerLaunch launch)
    {
        string file = launch.Id + Extension;
        FileDescriptor? opened = null;
        try
        {
            opened = owner.Create(file);
            Descriptors.WriteAll(opened, RecordWriter.Line(HeaderOf(launch, host.UserId)));
            return new(host, owner, launch, opened);
        }
        catch (LinuxException exception)
        {
            if (opened is not null) owner.Delete(file);
            opened?.Dispose();
            throw StateFailures.Unwritable(owner.PathOf(file), exception);
        }
    }

    /// <summary>Adds a process that is there and waits to be told to go on.</summary>
    /// <param name="processId">A child that nobody has reaped.</param>
    /// <param name="last">Whether nothing will be added after it.</param>
    /// <exception cref="ContainerException">It could not be recorded.</exception>
    internal void AddProcess(int processId, bool last)
    {
        try
        {
            // One that ended, and was reaped by somebody else, needs no record.
            if (ProcessStartTime.Read(processId) is { } start) Descriptors.WriteAll(_opened!, RecordWriter.Line(ProcessRemover.Resource(processId, start)));
            if (!last) return;
            Interlocked.Exchange(ref _opened, null)?.Dispose();
            if (Launch.Spec.OutlivesHost) _layers = Launch.Spec.Layers?.KeepFor(processId);
        }
        catch (LinuxException exception)
        {
            throw StateFailures.Unwritable(_owner.PathOf(_file), exception);
        }
    }

    /// <summary>Adds a control group that is about to be made.</summary>
    /// <exception cref="ContainerException">It could not be recorded.</exception>
    internal void AddGroup(IReadOnlyList<string> directories) => Add(GroupRemover.Resource(directories));

    /// <summary>Likewise a directory.</summary>
    internal void AddDirectory(string path) => Add(DirectoryRemover.Resource(path));

    private void Add(RecordedResource resource)
    {
        try
        {
            Descriptors.WriteAll(_opened!, RecordWriter.Line(resource));
        }
        catch (LinuxException exception)
        {
            throw StateFailures.Unwritable(_owner.PathOf(_file), exception);
        }
    }

    /// <summary>All that it tells of is gone. More than once does nothing.</summary>
    internal void Delete()
    {
        if (Interlocked.Exchange(ref _deleted, 1) != 0) return;
        _owner.Delete(_file);
        _layers?.Dispose();
        LetGo();
    }

    /// <summary>What it tells of could not be removed: it stays for who opens the state directory once this host is disposed.</summary>
    internal void Leave()
    {
        if (Interlocked.Exchange(ref _deleted, 1) == 0) LetGo();
    }

    private void LetGo()
    {
        Interlocked.Exchange(ref _opened, null)?.Dispose();
        _host.Forget(this);
    }

    private static RecordHeader HeaderOf(ContainerLaunch launch, uint user)
    {
        HostScope scope = HostScope.Current;
        return new()
        {
            Version = RecordHeader.CurrentVersion,
            Id = launch.Id,
            Boot = scope.Boot,
            PidNamespace = scope.PidNamespace,
            TimeNamespace = scope.TimeNamespace,
            User = user,
            Owner = Environment.ProcessId,
            Started = DateTimeOffset.UtcNow,
            OutlivesHost = launch.Spec.OutlivesHost,
            Command = RecordText.Bounded(launch.Spec.Command),
        };
    }
}
