using System.Runtime.InteropServices;

namespace Isolation.Linux;

/// <summary>Made by this process, with its own rights. Safe from any thread.</summary>
/// <param name="owner">To whom what is made is given (chown(2), which takes CAP_CHOWN); null leaves it to this process's user.</param>
internal sealed unsafe class OwnFileCalls((uint User, uint Group)? owner = null) : FileCalls
{
    internal static OwnFileCalls Instance { get; } = new();

    internal override nint Open(FileDescriptor directory, ReadOnlySpan<byte> path, int flags, uint mode = 0, ulong resolve = 0)
    {
        using var held = directory.Hold();
        if (resolve == 0)
        {
            fixed (byte* bytes = path) return Settled(Syscall.openat(held.Number, bytes, flags | Abi.O_CLOEXEC, mode), flags, mode, held.Number, path);
        }

        ReadOnlySpan<byte> text = path[..^1];
        if (!OpenAt2Resolver.Works) return PathWalk.TryOpen(held.Number, text, flags, mode);
        nint result = OpenAt2Resolver.TryOpen(held.Number, path, flags, mode);
        return Syscall.Is(result, Errno.EAGAIN) && (flags & Abi.O_NONBLOCK) == 0 ? PathWalk.TryOpen(held.Number, text, flags, mode) : result;
    }

    // The descriptor itself and not the name: whatever the name means by now, what was looked at is what is opened.
    internal override nint Reopen(FileDescriptor found, FileDescriptor directory, ReadOnlySpan<byte> name, int flags)
    {
        try
        {
            using var file = Descriptors.Reopen(found, flags);
            using var held = file.Hold();
            return Syscall.fcntl(held.Number, Abi.F_DUPFD_CLOEXEC);
        }
        catch (LinuxException exception)
        {
            return -(int)exception.Errno;
        }
    }

    internal override nint MakeDirectory(FileDescriptor directory, ReadOnlySpan<byte> name, uint mode)
    {
        using var held = directory.Hold();
        fixed (byte* bytes = name) return Given(Syscall.mkdirat(held.Number, bytes, mode), held.Number, name);
    }

    internal override nint MakeNode(FileDescriptor directory, ReadOnlySpan<byte> name, uint mode)
    {
        using var held = directory.Hold();
        fixed (byte* bytes = name) return Given(Syscall.Invoke(SystemCall.mknodat, held.Number, (nint)bytes, (nint)mode, 0), held.Number, name);
    }

    internal override nint MakeLink(ReadOnlySpan<byte> target, FileDescriptor directory, ReadOnlySpan<byte> name)
    {
        using var held = directory.Hold();
        fixed (byte* text = target, bytes = name) return Given(Syscall.Invoke(SystemCall.symlinkat, (nint)text, held.Number, (nint)bytes), held.Number, name);
    }

    internal override nint AddName(FileDescriptor fromDirectory, ReadOnlySpan<byte> from, FileDescriptor directory, ReadOnlySpan<byte> name)
    {
        using var source = fromDirectory.Hold();
        using var held = directory.Hold();
        fixed (byte* old = from, bytes = name) return Syscall.Invoke(SystemCall.linkat, source.Number, (nint)old, held.Number, (nint)bytes, 0);
    }

    internal override nint Rename(FileDescriptor directory, ReadOnlySpan<byte> from, ReadOnlySpan<byte> to)
    {
        using var held = directory.Hold();
        fixed (byte* old = from, bytes = to) return Syscall.Invoke(SystemCall.renameat2, held.Number, (nint)old, held.Number, (nint)bytes, 0);
    }

    internal override nint Remove(FileDescriptor directory, ReadOnlySpan<byte> name)
    {
        using var held = directory.Hold();
        fixed (byte* bytes = name) return Syscall.Invoke(SystemCall.unlinkat, held.Number, (nint)bytes, 0);
    }

    internal override nint ChangeMode(FileDescriptor file, uint mode)
    {
        using var held = file.Hold();
        return Syscall.Invoke(SystemCall.fchmod, held.Number, (nint)mode);
    }

    internal override nint ChangeModified(FileDescriptor directory, ReadOnlySpan<byte> name, (long Seconds, uint Nanoseconds) modified)
    {
        using var held = directory.Hold();
        Span<long> times = [0, Abi.UTIME_OMIT, modified.Seconds, modified.Nanoseconds];
        fixed (long* both = times)
        fixed (byte* bytes = name)
            return Syscall.Invoke(SystemCall.utimensat, held.Number, (nint)bytes, (nint)both, Abi.AT_SYMLINK_NOFOLLOW);
    }

    internal override nint SetAttribute(FileDescriptor file, ReadOnlySpan<byte> attribute, ReadOnlySpan<byte> value)
    {
        using var held = file.Hold();
        fixed (byte* name = attribute, bytes = &MemoryMarshal.GetReference(value))
            return Syscall.Invoke(SystemCall.fsetxattr, held.Number, (nint)name, (nint)bytes, value.Length, 0);
    }

    // The umask is the process's and stays as it is: the mode is set once more.
    private nint Settled(nint result, int flags, uint mode, int directory, ReadOnlySpan<byte> name)
    {
        if ((flags & Abi.O_CREAT) == 0 || Syscall.IsError(result)) return result;
        nint given = Given(0, directory, name);
        if (Syscall.IsError(given))
        {
            Syscall.close((int)result);
            return given;
        }

        Syscall.Invoke(SystemCall.fchmod, result, (nint)mode);
        return result;
    }

    private nint Given(nint result, int directory, ReadOnlySpan<byte> name)
    {
        if (owner is not { } ids || Syscall.IsError(result)) return result;
        fixed (byte* bytes = name)
            return Syscall.Invoke(SystemCall.fchownat, directory, (nint)bytes, (nint)ids.User, (nint)ids.Group, Abi.AT_SYMLINK_NOFOLLOW);
    }
}
