namespace Isolation.Linux;

/// <summary>A file system that is being put together (fsopen(2), fsconfig(2), fsmount(2), Linux 5.2). From any thread; one at a time.</summary>
internal sealed unsafe class MountContext : IDisposable
{
    private readonly string _type;
    private readonly FileDescriptor _context;

    private MountContext(string type, FileDescriptor context) => (_type, _context) = (type, context);

    /// <exception cref="LinuxException">ENODEV: the kernel has no such file system. EPERM: without CAP_SYS_ADMIN.</exception>
    internal static MountContext Open(string type)
    {
        nint result = TryOpen(type, out MountContext? context);
        return context ?? throw Syscall.Failure(result, "fsopen", type);
    }

    /// <returns>0 or -errno.</returns>
    internal static nint TryOpen(string type, out MountContext? context)
    {
        using NativePath name = new(type);
        nint result;
        fixed (byte* start = name) result = Syscall.Invoke(SystemCall.fsopen, (nint)start, Abi.FSOPEN_CLOEXEC);
        context = Syscall.IsError(result) ? null : new(type, new FileDescriptor((int)result));
        return Math.Min(result, 0);
    }

    internal nint TrySet(string key, string value)
    {
        using NativePath name = new(key), text = new(value);
        fixed (byte* start = name, bytes = text)
            return Syscall.Invoke(SystemCall.fsconfig, _context.Number, Abi.FSCONFIG_SET_STRING, (nint)start, (nint)bytes);
    }

    /// <exception cref="LinuxException">With the kernel's own words where it left some in the context.</exception>
    internal void Set(string key, string value) => Check(TrySet(key, value), $"{_type}, {key}={value}");

    internal void SetFlag(string key)
    {
        using NativePath name = new(key);
        fixed (byte* start = name) Check(Syscall.Invoke(SystemCall.fsconfig, _context.Number, Abi.FSCONFIG_SET_FLAG, (nint)start), $"{_type}, {key}");
    }

    /// <param name="attributes">MOUNT_ATTR_*.</param>
    /// <returns>The root of the new mount, detached.</returns>
    internal FileDescriptor Make(ulong attributes)
    {
        Check(Syscall.Invoke(SystemCall.fsconfig, _context.Number, Abi.FSCONFIG_CMD_CREATE), $"{_type}, FSCONFIG_CMD_CREATE");
        nint mount = Syscall.Invoke(SystemCall.fsmount, _context.Number, Abi.FSMOUNT_CLOEXEC, (nint)attributes);
        return new((int)Syscall.Check(mount, "fsmount", _type));
    }

    public void Dispose() => _context.Dispose();

    private void Check(nint result, string arguments)
    {
        if (!Syscall.IsError(result)) return;
        string? words = Words();
        throw new LinuxException("fsconfig", arguments, Syscall.ErrnoOf(result), words is null ? null : $"The kernel says: {words}");
    }

    // A message a read, as "e text"; ENODATA when there are no more (Documentation/filesystems/mount_api.rst).
    private string? Words()
    {
        List<string> words = [];
        byte[] buffer = new byte[1024];
        for (nint count; (count = Descriptors.TryRead(_context, buffer)) > 0;) words.Add(System.Text.Encoding.UTF8.GetString(buffer, 0, (int)count).Trim());
        return words.Count == 0 ? null : string.Join("; ", words);
    }
}
