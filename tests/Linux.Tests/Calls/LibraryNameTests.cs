using System.Runtime.InteropServices;

namespace Isolation.Linux.Tests;

public class LibraryNameTests
{
    /// <summary>Where libc.so.6 is missing (musl), this is how the functions are found: the process has its libc loaded already.</summary>
    [Theory]
    [InlineData("syscall"), InlineData("close"), InlineData("fcntl"), InlineData("mkdirat"), InlineData("openat"), InlineData("pipe2")]
    [InlineData("pread"), InlineData("read"), InlineData("readlinkat"), InlineData("socketpair"), InlineData("write")]
    [InlineData("epoll_create1"), InlineData("epoll_ctl"), InlineData("epoll_wait")]
    public void A_function_of_libc_is_found_in_the_process_itself(string name)
    {
        Assert.True(NativeLibrary.TryGetExport(NativeLibrary.GetMainProgramHandle(), name, out nint address));
        Assert.NotEqual(0, address);
    }
}
