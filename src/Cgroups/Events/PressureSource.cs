using Isolation.Linux;

namespace Isolation.Cgroups;

/// <summary>One trigger: a pressure file that it was written to, and that says EPOLLPRI once for each time it is reached (accounting/psi.rst).</summary>
internal sealed class PressureSource : EventSource
{
    private readonly CgroupPressureTrigger _trigger;
    private readonly FileDescriptor _file;
    private long _reached;
    private bool _gone;

    internal PressureSource(GroupDirectory group, CgroupPressureTrigger trigger, Action signal)
        : base(signal)
    {
        _trigger = trigger;
        try
        {
            _file = DirectoryFiles.Open(group.Directory, trigger.File, Abi.O_RDWR | Abi.O_NONBLOCK);
        }
        catch (LinuxException exception)
        {
            throw Failure(exception, group);
        }

        try
        {
            nint result = Descriptors.TryWrite(_file, System.Text.Encoding.ASCII.GetBytes(trigger + "\0"));
            if (Syscall.IsError(result)) throw Syscall.Failure(result, "write", $"{group.Path}/{trigger.File}, \"{trigger}\"");
            Start(_file, Abi.EPOLLPRI);
        }
        catch (LinuxException exception)
        {
            Dispose();
            throw Failure(exception, group);
        }
    }

    internal override bool TryTake(List<CgroupEvent> into, DateTimeOffset now)
    {
        long reached = Interlocked.Exchange(ref _reached, 0);
        if (reached > 0) into.Add(new(CgroupEventKind.Pressure, reached, now, _trigger));
        return !Volatile.Read(ref _gone);
    }

    public override void Dispose()
    {
        base.Dispose();
        _file.Dispose();
    }

    protected override void Note(uint events)
    {
        if ((events & Abi.EPOLLPRI) != 0) Interlocked.Increment(ref _reached);
        if ((events & Abi.EPOLLERR) != 0) Volatile.Write(ref _gone, true);
    }

    private static CgroupException Failure(LinuxException cause, GroupDirectory group)
    {
        string problem = $"Cannot be told of pressure by {group.Path}";
        return cause.Errno switch
        {
            Errno.ENOENT or Errno.EOPNOTSUPP => new(CgroupErrorReason.NotSupported, problem, cause, "the kernel counts no pressure of groups: it needs Linux 5.2 with CONFIG_PSI, psi=1 on its command line where the distribution turns it off, and 1 in cgroup.pressure"),
            Errno.EPERM or Errno.EACCES or Errno.EINVAL => new(CgroupErrorReason.NotPermitted, problem, cause, "without CAP_SYS_RESOURCE it takes Linux 6.5 and a window of 2, 4, 6, 8 or 10 seconds"),
            _ => GroupFailures.Of(cause, $"be told of pressure by {group.Path}"),
        };
    }
}
