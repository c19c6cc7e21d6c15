namespace Isolation.Linux;

/// <summary>A file system that is mounted at no path: its descriptor alone leads there, and with the last one it is gone (fsopen(2), fsmount(2), Linux 5.2).</summary>
internal static unsafe class DetachedMount
{
    /// <param name="type">Of the file system.</param>
    /// <param name="flags">Its options, which have no value.</param>
    /// <returns>Its root.</returns>
    /// <exception cref="LinuxException">The kernel refuses.</exception>
    internal static FileDescriptor Make(string type, IEnumerable<string> flags)
    {
        using NativePath name = new(type);
        fixed (byte* start = name)
        {
            using FileDescriptor context = new((int)Syscall.Check(Syscall.Invoke(SystemCall.fsopen, (nint)start, Abi.FSOPEN_CLOEXEC), "fsopen", type));
            foreach (string flag in flags) SetFlag(context, flag);
            Syscall.Check(Syscall.Invoke(SystemCall.fsconfig, context.Number, Abi.FSCONFIG_CMD_CREATE), "fsconfig", $"{type}, FSCONFIG_CMD_CREATE");
            nint mount = Syscall.Invoke(SystemCall.fsmount, context.Number, Abi.FSMOUNT_CLOEXEC, (nint)(Abi.MOUNT_ATTR_NOSUID | Abi.MOUNT_ATTR_NODEV | Abi.MOUNT_ATTR_NOEXEC));
            return new((int)Syscall.Check(mount, "fsmount", type));
        }
    }

    private static void SetFlag(FileDescriptor context, string flag)
    {
        using NativePath key = new(flag);
        fixed (byte* start = key)
            Syscall.Check(Syscall.Invoke(SystemCall.fsconfig, context.Number, Abi.FSCONFIG_SET_FLAG, (nint)start), "fsconfig", $"FSCONFIG_SET_FLAG, \"{flag}\"");
    }
}
