using Isolation.Linux;

namespace Isolation.Launch;

/// <summary>
/// A launch image as a file without a name: a sealed memfd, which nobody can write any more (CVE-2019-5736), or where
/// the system forbids executable memfds an unnamed file in the directory for temporary files.
/// </summary>
internal static unsafe class ImageDescriptor
{
    private const int Seals = Abi.F_SEAL_SEAL | Abi.F_SEAL_SHRINK | Abi.F_SEAL_GROW | Abi.F_SEAL_WRITE;

    internal static FileDescriptor Create(ReadOnlySpan<byte> image)
    {
        FileDescriptor? memory = TryCreateMemory();
        if (memory is null) return CreateUnnamed(image);
        try
        {
            Descriptors.WriteAll(memory, image);
            Syscall.Check(Syscall.fcntl(memory.Number, Abi.F_ADD_SEALS, Seals), "fcntl", "memfd:isolation, F_ADD_SEALS");
            return memory;
        }
        catch
        {
            memory.Dispose();
            throw;
        }
    }

    /// <summary>Before Linux 6.3 there is no MFD_EXEC and every memfd can be executed; from then on vm.memfd_noexec decides.</summary>
    private static FileDescriptor? TryCreateMemory()
    {
        uint flags = Abi.MFD_CLOEXEC | Abi.MFD_ALLOW_SEALING;
        fixed (byte* name = "isolation\0"u8)
        {
            nint result = Syscall.Invoke(SystemCall.memfd_create, (nint)name, (nint)(flags | Abi.MFD_EXEC));
            if (Syscall.Is(result, Errno.EINVAL)) result = Syscall.Invoke(SystemCall.memfd_create, (nint)name, (nint)flags);
            if (Syscall.Is(result, Errno.EACCES) || Syscall.Is(result, Errno.ENOSYS) || Syscall.Is(result, Errno.EPERM)) return null;
            return new FileDescriptor((int)Syscall.Check(result, "memfd_create", "\"isolation\", MFD_CLOEXEC|MFD_ALLOW_SEALING|MFD_EXEC"));
        }
    }

    /// <summary>
    /// O_TMPFILE of mode 0500. A file that is open for writing cannot be executed (ETXTBSY), so it is opened once more
    /// for reading and the writing side closed. There is no name under which anybody could open it again.
    /// </summary>
    internal static FileDescriptor CreateUnnamed(ReadOnlySpan<byte> image)
    {
        const int O_TMPFILE = 0x400000;
        string directory = Directories().FirstOrDefault(IsExecutable)
            ?? throw new ContainerException(ContainerErrorReason.LaunchFailed,
                $"There is no place for a file that can be executed: vm.memfd_noexec forbids it in memory, and these directories are missing, not writable or mounted noexec: {string.Join(", ", Directories())}",
                null, "set TMPDIR to a directory where programs may be executed, or vm.memfd_noexec to 0 or 1");
        using FileDescriptor writable = FileDescriptor.Open(directory, O_TMPFILE | TargetAbi.Current.O_DIRECTORY | Abi.O_RDWR, 0x140);
        Descriptors.WriteAll(writable, image);
        return FileDescriptor.Open(FormattableString.Invariant($"/proc/self/fd/{writable.Number}"), Abi.O_RDONLY);
    }

    private static IEnumerable<string> Directories() =>
        ((string?[])[Path.GetTempPath(), Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR"), "/var/tmp", Environment.GetEnvironmentVariable("HOME")]).OfType<string>();

    private static bool IsExecutable(string directory)
    {
        try
        {
            using FileDescriptor opened = FileDescriptor.Open(directory, Abi.O_PATH | TargetAbi.Current.O_DIRECTORY);
            const long ST_NOEXEC = 8;
            return (FileSystemType.Flags(opened) & ST_NOEXEC) == 0;
        }
        catch (LinuxException)
        {
            return false;
        }
    }
}
