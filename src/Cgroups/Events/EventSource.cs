using Isolation.Linux;

namespace Isolation.Cgroups;

/// <summary>One descriptor that the kernel says changes on, by an edge (epoll(7), EPOLLET); what has changed is looked up by whoever reads the watch.</summary>
internal abstract class EventSource(Action signal) : IDescriptorHandler, IDisposable
{
    private Registration? _registration;

    /// <summary>More is known to be coming that the kernel does not wake anybody for.</summary>
    internal virtual bool IsUnsettled => false;

    public void OnReady(uint events)
    {
        Note(events);
        signal();
    }

    public void OnFault(Exception exception) => signal();

    /// <summary>Adds what has happened since the last time.</summary>
    /// <returns>False where the group is gone.</returns>
    internal abstract bool TryTake(List<CgroupEvent> into, DateTimeOffset now);

    public virtual void Dispose() => _registration?.Dispose();

    /// <exception cref="LinuxException">It cannot be watched.</exception>
    protected void Start(FileDescriptor descriptor, uint events)
    {
        _registration = DescriptorEvents.Shared.Prepare(descriptor, this);
        _registration.Start(events | Abi.EPOLLET);
    }

    protected virtual void Note(uint events)
    {
    }

    /// <summary>The number behind a word at the beginning of a line; null where there is none, or the group is gone.</summary>
    protected static long? Number(ReadOnlySpan<byte> text, ReadOnlySpan<byte> key)
    {
        while (!text.IsEmpty)
        {
            int end = text.IndexOf((byte)'\n');
            ReadOnlySpan<byte> line = end < 0 ? text : text[..end];
            text = end < 0 ? default : text[(end + 1)..];
            if (line.StartsWith(key) && line.Length > key.Length && line[key.Length] == ' '
                && System.Buffers.Text.Utf8Parser.TryParse(line[(key.Length + 1)..], out long value, out _)) return value;
        }

        return null;
    }
}
