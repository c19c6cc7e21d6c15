using Microsoft.Win32.SafeHandles;

namespace Isolation.Linux;

/// <summary>
/// An open file descriptor, owned: disposing it closes it, exactly once, and never while another thread is inside a call
/// that uses it.
/// </summary>
/// <remarks>
/// Every descriptor of this library is close-on-exec. Safe from any thread. Errors of <c>close(2)</c> are ignored: Linux
/// frees the number before it can fail, so there is nothing to try again, and a second close would hit whatever file
/// another thread has opened under the same number meanwhile.
/// </remarks>
public sealed class FileDescriptor : SafeHandleMinusOneIsInvalid
{
    /// <param name="number">An open descriptor, which belongs to the new object from now on.</param>
    internal FileDescriptor(int number)
        : base(ownsHandle: true) => SetHandle(number);

    /// <summary>
    /// The number, for a raw system call or to be written into a plan. It means this file only for as long as the
    /// object is referenced and not disposed; where that is not plain, use <see cref="SafeHandleHold.Hold"/>.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The descriptor is closed.</exception>
    internal int Number
    {
        get
        {
            ObjectDisposedException.ThrowIf(IsClosed, this);
            return (int)handle;
        }
    }

    /// <summary>
    /// Opens a path of the host as <c>openat(AT_FDCWD, …)</c> does, following symbolic links; O_CLOEXEC is added. For a
    /// path inside a root that somebody else controls, use <see cref="ContainedPath"/>.
    /// </summary>
    /// <exception cref="LinuxException">The file cannot be opened.</exception>
    internal static FileDescriptor Open(string path, int flags, uint mode = 0)
    {
        using var name = new NativePath(path);
        unsafe
        {
            fixed (byte* bytes = name)
            {
                nint result = Syscall.openat(Abi.AT_FDCWD, bytes, flags | Abi.O_CLOEXEC, mode);
                return new FileDescriptor((int)Syscall.Check(result, "openat", $"\"{path}\", {OpenFlags.Format(flags)}"));
            }
        }
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        Syscall.close((int)handle);
        return true;
    }
}
