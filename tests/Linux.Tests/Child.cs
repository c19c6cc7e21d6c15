using System.Runtime.InteropServices;
using System.Text;

namespace Isolation.Linux.Tests;

/// <summary>
/// A child that .NET knows nothing of, as the launch engine's children are: <c>Process</c> would reap its own behind the
/// test's back. Made by posix_spawn, which needs no managed code between fork and exec.
/// </summary>
internal sealed unsafe partial class Child : IDisposable
{
    private Child(int pid)
    {
        Pid = pid;
        Descriptor = PidDescriptor.Open(pid);
    }

    internal int Pid { get; }

    internal PidDescriptor Descriptor { get; }

    internal static Child Spawn(string path, params string[] arguments)
    {
        string[] all = [path, .. arguments];
        var strings = all.Select(a => Marshal.StringToCoTaskMemUTF8(a)).ToArray();
        try
        {
            nint* argv = stackalloc nint[strings.Length + 1];
            for (int i = 0; i < strings.Length; i++) argv[i] = strings[i];
            argv[strings.Length] = 0;
            nint* environment = stackalloc nint[1];
            environment[0] = 0;
            int pid;
            fixed (byte* file = Encoding.UTF8.GetBytes(path + "\0"))
            {
                int error = posix_spawn(&pid, file, 0, 0, argv, environment);
                Assert.Equal(0, error);
            }
            return new Child(pid);
        }
        finally
        {
            foreach (nint s in strings) Marshal.FreeCoTaskMem(s);
        }
    }

    internal WaitStatus WaitForEnd()
    {
        var deadline = DateTime.UtcNow.AddSeconds(60);
        WaitStatus status;
        while (!Descriptor.TryReap(out status))
        {
            Assert.True(DateTime.UtcNow < deadline, "The child did not end.");
            Thread.Sleep(1);
        }
        return status;
    }

    public void Dispose()
    {
        Descriptor.SendSignal(Abi.SIGKILL);
        WaitForEnd();
        Descriptor.Dispose();
    }

    [DllImport("libc", EntryPoint = "posix_spawn")]
    private static extern int posix_spawn(int* pid, byte* path, nint actions, nint attributes, nint* argv, nint* environment);
}
