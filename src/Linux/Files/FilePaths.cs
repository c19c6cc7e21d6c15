namespace Isolation.Linux;

/// <summary>
/// Calls on paths of the host, in directories that nobody else changes. Each returns what the kernel returns: a value, or
/// -errno. None follows a link as last component. Safe from any thread.
/// </summary>
internal static unsafe class FilePaths
{
    internal static nint MakeDirectory(string path, uint mode)
    {
        using var name = new NativePath(path);
        fixed (byte* bytes = name) return Syscall.mkdirat(Abi.AT_FDCWD, bytes, mode);
    }

    /// <summary>What has the new name already is replaced: a file by a file, an empty directory by a directory.</summary>
    internal static nint Rename(string from, string to)
    {
        using NativePath source = new(from), target = new(to);
        fixed (byte* old = source, bytes = target) return Syscall.Invoke(SystemCall.renameat2, Abi.AT_FDCWD, (nint)old, Abi.AT_FDCWD, (nint)bytes, 0);
    }

    /// <summary>Whether modes and mounts let this process's user write a file, or make files in a directory. A link is followed.</summary>
    internal static bool MayWrite(string path)
    {
        using var name = new NativePath(path);
        fixed (byte* bytes = name) return Syscall.Invoke(SystemCall.faccessat, Abi.AT_FDCWD, (nint)bytes, Abi.W_OK) == 0;
    }

    internal static nint Remove(string path)
    {
        using var name = new NativePath(path);
        fixed (byte* bytes = name) return Syscall.Invoke(SystemCall.unlinkat, Abi.AT_FDCWD, (nint)bytes, 0);
    }
}
