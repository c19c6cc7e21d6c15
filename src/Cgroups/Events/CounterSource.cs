using System.Text;
using Isolation.Linux;

namespace Isolation.Cgroups;

/// <summary>
/// A file of counters or states, of which the kernel says that it has changed (cgroup-v2, "file modified event": EPOLLPRI
/// until it is read again).
/// </summary>
internal sealed class CounterSource : EventSource
{
    private readonly FileDescriptor _file;
    private readonly (byte[] Key, CgroupEventKind? Grown, CgroupEventKind? Shrunk)[] _entries;
    private readonly long[] _last;

    /// <param name="group">Whose file.</param>
    /// <param name="name">Of the file.</param>
    /// <param name="entries">The keys, with what it means when the number has grown, and when it has shrunk, as a state does.</param>
    /// <param name="signal">Called when it has changed.</param>
    internal CounterSource(GroupDirectory group, string name, IEnumerable<(string Key, CgroupEventKind? Grown, CgroupEventKind? Shrunk)> entries, Action signal)
        : base(signal)
    {
        _entries = [.. entries.Select(entry => (Encoding.ASCII.GetBytes(entry.Key), entry.Grown, entry.Shrunk))];
        _last = new long[_entries.Length];
        _file = DirectoryFiles.Open(group.Directory, name, Abi.O_RDONLY);
        try
        {
            // First, so that what happens between the two is an edge too.
            Start(_file, Abi.EPOLLPRI);
            TryTake([], default);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    internal override bool TryTake(List<CgroupEvent> into, DateTimeOffset now)
    {
        Span<byte> buffer = stackalloc byte[1024];
        nint count = Descriptors.TryReadAt(_file, buffer, 0);
        if (Syscall.IsError(count)) return false;
        for (int i = 0; i < _entries.Length; i++)
        {
            (byte[] key, CgroupEventKind? grown, CgroupEventKind? shrunk) = _entries[i];
            long value = Number(buffer[..(int)count], key) ?? 0, change = value - _last[i];
            _last[i] = value;
            if ((change > 0 ? grown : change < 0 ? shrunk : null) is { } kind) into.Add(new(kind, Math.Abs(change), now));
        }

        return true;
    }

    public override void Dispose()
    {
        base.Dispose();
        _file.Dispose();
    }
}
