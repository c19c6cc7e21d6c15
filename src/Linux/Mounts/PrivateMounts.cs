using System.Runtime.ExceptionServices;

namespace Isolation.Linux;

/// <summary>
/// A thread in a mount namespace of its own, with an empty tmpfs as current directory: what is mounted there nobody else
/// sees, and it is gone with the thread, however this process ends. For mount(2), which takes paths alone, and for mounts
/// that may be used only where they are attached.
/// </summary>
internal static unsafe class PrivateMounts
{
    /// <summary>Runs the work on such a thread and waits for it. What it returns may be used by everybody: a clone of a mount, detached.</summary>
    /// <param name="work">Gets the tmpfs, which is also its current directory.</param>
    /// <exception cref="LinuxException">EPERM without CAP_SYS_ADMIN; and what the work throws.</exception>
    internal static T Run<T>(Func<FileDescriptor, T> work)
    {
        T result = default!;
        ExceptionDispatchInfo? failure = null;
        // A thread that has left the process's namespace and working directory cannot go back (unshare(2), setns(2)): it ends.
        Thread thread = new(() =>
        {
            try
            {
                using FileDescriptor directory = Enter();
                result = work(directory);
            }
            catch (Exception exception)
            {
                failure = ExceptionDispatchInfo.Capture(exception);
            }
        })
        { IsBackground = true, Name = "isolation-mount" };
        thread.Start();
        thread.Join();
        failure?.Throw();
        return result;
    }

    private static FileDescriptor Enter()
    {
        // Implies CLONE_FS: the current directory is this thread's from here on.
        Syscall.Check(Syscall.Invoke(SystemCall.unshare, (nint)Abi.CLONE_NEWNS), "unshare", "CLONE_NEWNS");
        Syscall.Check(MountCalls.Mount("none", "/", "", Abi.MS_REC | Abi.MS_PRIVATE, ""), "mount", "\"/\", MS_REC|MS_PRIVATE");
        using MountContext context = MountContext.Open("tmpfs");
        FileDescriptor tmpfs = context.Make(Abi.MOUNT_ATTR_NODEV | Abi.MOUNT_ATTR_NOSUID);
        try
        {
            // Over the root, of which nothing is needed by name: no directory must be there for it.
            using FileDescriptor root = FileDescriptor.Open("/", Abi.O_PATH);
            MountCalls.Attach(tmpfs, root);
            using var held = tmpfs.Hold();
            Syscall.Check(Syscall.Invoke(SystemCall.fchdir, held.Number), "fchdir", "tmpfs");
            return tmpfs;
        }
        catch
        {
            tmpfs.Dispose();
            throw;
        }
    }
}
