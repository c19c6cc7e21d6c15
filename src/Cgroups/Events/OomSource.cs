using System.Buffers.Binary;
using System.Diagnostics;
using Isolation.Linux;

namespace Isolation.Cgroups;

/// <summary>
/// What v1 tells of memory that ran out: an eventfd, given to <c>cgroup.event_control</c> together with
/// <c>memory.oom_control</c> (cgroup-v1/memory.rst, "OOM Control"). It counts once more when the group is removed.
/// </summary>
internal sealed class OomSource : EventSource
{
    private const string Control = "memory.oom_control";
    private static readonly TimeSpan UntilKilled = TimeSpan.FromSeconds(1);
    private readonly FileDescriptor _control;
    private readonly FileDescriptor? _counter;
    private readonly bool _tellsOom, _tellsKills;
    private long _kills;
    private long? _oomAt;

    internal OomSource(GroupDirectory group, bool tellsOom, bool tellsKills, Action signal)
        : base(signal)
    {
        (_tellsOom, _tellsKills) = (tellsOom, tellsKills);
        _control = DirectoryFiles.Open(group.Directory, Control, Abi.O_RDONLY);
        try
        {
            _counter = new((int)Syscall.Check(Syscall.Invoke(SystemCall.eventfd2, 0, Abi.EFD_CLOEXEC | Abi.EFD_NONBLOCK), "eventfd2"));
            TryTake([], default);
            Start(_counter, Abi.EPOLLIN);
            group.Write("cgroup.event_control", $"{_counter.Number} {_control.Number}");
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    // The kernel tells of memory that ran out before it kills anybody, and of that nothing.
    internal override bool IsUnsettled => _oomAt is { } since && Stopwatch.GetElapsedTime(since) < UntilKilled;

    internal override bool TryTake(List<CgroupEvent> into, DateTimeOffset now)
    {
        Span<byte> buffer = stackalloc byte[256];
        nint count = Descriptors.TryReadAt(_control, buffer, 0);
        if (Syscall.IsError(count)) return false;
        long kills = Number(buffer[..(int)count], "oom_kill"u8) ?? 0, killed = kills - _kills;
        _kills = kills;
        Span<byte> counter = stackalloc byte[8];
        if (Descriptors.TryRead(_counter!, counter) == counter.Length)
        {
            _oomAt = Stopwatch.GetTimestamp();
            if (_tellsOom) into.Add(new(CgroupEventKind.OutOfMemory, BinaryPrimitives.ReadInt64LittleEndian(counter), now));
        }

        if (killed == 0) return true;
        _oomAt = null;
        if (_tellsKills) into.Add(new(CgroupEventKind.OutOfMemoryKill, killed, now));
        return true;
    }

    public override void Dispose()
    {
        base.Dispose();
        _counter?.Dispose();
        _control.Dispose();
    }
}
