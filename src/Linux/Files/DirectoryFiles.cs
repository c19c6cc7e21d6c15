using System.Runtime.InteropServices;

namespace Isolation.Linux;

/// <summary>
/// The files of one directory, by its descriptor: wherever the directory is moved meanwhile, these are meant. Names are
/// single components; symbolic links are not followed. The <c>Try</c> forms return 0, or a descriptor, or <c>-errno</c>.
/// Safe from any thread.
/// </summary>
internal static unsafe class DirectoryFiles
{
    private const int StackBytes = 256;

    /// <param name="directory">A directory.</param>
    /// <param name="name">Of a file in it.</param>
    /// <param name="flags">As for openat(2); O_CLOEXEC and O_NOFOLLOW are added.</param>
    /// <param name="mode">Beside O_CREAT.</param>
    /// <returns>A descriptor, which is the caller's to close, or -errno.</returns>
    internal static nint TryOpen(SafeHandle directory, string name, int flags, uint mode = 0)
    {
        using var held = directory.Hold();
        using var native = new NativePath(name, stackalloc byte[StackBytes]);
        fixed (byte* bytes = native) return Syscall.openat(held.Number, bytes, flags | Abi.O_CLOEXEC | TargetAbi.Current.O_NOFOLLOW, mode);
    }

    /// <inheritdoc cref="TryOpen"/>
    /// <exception cref="LinuxException">The file cannot be opened.</exception>
    internal static FileDescriptor Open(SafeHandle directory, string name, int flags, uint mode = 0) =>
        new((int)Syscall.Check(TryOpen(directory, name, flags, mode), "openat", $"{directory.DangerousGetHandle()}, \"{name}\", {OpenFlags.Format(flags)}"));

    internal static nint TryMakeDirectory(SafeHandle directory, string name, uint mode)
    {
        using var held = directory.Hold();
        using var native = new NativePath(name, stackalloc byte[StackBytes]);
        fixed (byte* bytes = native) return Syscall.mkdirat(held.Number, bytes, mode);
    }

    internal static nint TryDelete(SafeHandle directory, string name) => TryUnlink(directory, name, 0);

    /// <summary>Removes a directory, which must be empty.</summary>
    internal static nint TryDeleteDirectory(SafeHandle directory, string name) => TryUnlink(directory, name, Abi.AT_REMOVEDIR);

    /// <summary>Moves a file of any kind; what has the new name already is replaced.</summary>
    internal static nint TryMove(SafeHandle directory, string name, SafeHandle newDirectory, string newName)
    {
        using var from = directory.Hold();
        using var to = newDirectory.Hold();
        using var native = new NativePath(name, stackalloc byte[StackBytes]);
        using var newNative = new NativePath(newName, stackalloc byte[StackBytes]);
        fixed (byte* bytes = native)
        fixed (byte* newBytes = newNative)
            return Syscall.Invoke(SystemCall.renameat2, from.Number, (nint)bytes, to.Number, (nint)newBytes);
    }

    /// <summary>Whether a name still leads to this very directory.</summary>
    internal static bool Is(SafeHandle directory, string name, SafeHandle child)
    {
        using var held = directory.Hold();
        using var native = new NativePath(name, stackalloc byte[StackBytes]);
        return !Syscall.IsError(FileStatus.TryGet(held.Number, MemoryMarshal.CreateReadOnlySpan(in native.GetPinnableReference(), native.Bytes.Length + 1), out FileStatus status))
            && status.IsSameFile(FileStatus.Of(child));
    }

    /// <summary>The names in a directory at this time, in no order, without <c>.</c> and <c>..</c>.</summary>
    /// <exception cref="LinuxException">It is not a directory, or cannot be read.</exception>
    internal static List<string> Names(SafeHandle directory)
    {
        // Opened anew, because the place in a listing belongs to the open file.
        using FileDescriptor listing = Open(directory, ".", Abi.O_RDONLY | TargetAbi.Current.O_DIRECTORY);
        List<string> names = [];
        byte* buffer = stackalloc byte[8192];
        while (true)
        {
            nint result = Syscall.InvokeRetrying(SystemCall.getdents64, listing.Number, (nint)buffer, 8192);
            if (Syscall.Is(result, Errno.ENOENT)) return names; // the directory itself has been removed
            int count = (int)Syscall.Check(result, "getdents64", $"{listing.Number}");
            if (count == 0) return names;
            for (int at = 0; at < count; at += *(ushort*)(buffer + at + 16))
            {
                // struct linux_dirent64: inode and offset of eight bytes each, the entry's length in two, its type, its name
                string name = Marshal.PtrToStringUTF8((nint)(buffer + at + 19))!;
                if (name is not ("." or "..")) names.Add(name);
            }
        }
    }

    private static nint TryUnlink(SafeHandle directory, string name, int flags)
    {
        using var held = directory.Hold();
        using var native = new NativePath(name, stackalloc byte[StackBytes]);
        fixed (byte* bytes = native) return Syscall.Invoke(SystemCall.unlinkat, held.Number, (nint)bytes, flags);
    }
}
