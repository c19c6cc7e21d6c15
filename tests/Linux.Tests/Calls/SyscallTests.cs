namespace Isolation.Linux.Tests;

public class SyscallTests
{
    [Fact]
    public void A_result_is_the_kernels_own()
    {
        Assert.Equal(Environment.ProcessId, Syscall.Invoke(SystemCall.getpid));
    }

    [Fact]
    public void An_error_is_minus_errno_and_not_minus_one()
    {
        nint result = Syscall.Invoke(SystemCall.fcntl, -1, Abi.F_GETFD);
        Assert.Equal(-(int)Errno.EBADF, result);
        Assert.Equal(Errno.EBADF, Syscall.ErrnoOf(result));
    }

    [Fact]
    public void All_six_arguments_arrive()
    {
        // copy_file_range has six; the last, flags, must be 0, and the kernel looks at it before anything else.
        using var file = FileDescriptor.Open("/dev/null", Abi.O_RDONLY);
        Assert.Equal(Errno.EINVAL, Syscall.ErrnoOf(Syscall.Invoke(SystemCall.copy_file_range, file.Number, 0, file.Number, 0, 1, 1 << 20)));
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, false)]
    [InlineData(-1, true)]
    [InlineData(-4095, true)]
    [InlineData(-4096, false)] // the highest addresses that mmap could return are not errors
    public void Errors_are_minus_one_to_minus_4095(long result, bool error)
    {
        Assert.Equal(error, Syscall.IsError((nint)result));
    }

    [Fact]
    public void Check_hands_a_good_result_through_and_does_not_evaluate_the_operands()
    {
        int evaluated = 0;
        Assert.Equal(7, Syscall.Check(7, "read", $"{evaluated++}"));
        Assert.Equal(0, evaluated);
    }

    [Fact]
    public void Check_allocates_nothing_on_success()
    {
        string path = "/x";
        for (int i = 0; i < 100; i++) Syscall.Check(Syscall.Invoke(SystemCall.getppid), "getppid", $"\"{path}\", {i}");
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++) Syscall.Check(Syscall.Invoke(SystemCall.getppid), "getppid", $"\"{path}\", {i}");
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void A_failure_tells_operation_operands_errno_and_remedy()
    {
        var e = Assert.Throws<LinuxException>(() => Syscall.Check(-24, "openat2", $"\"{"/x"}\", O_PATH"));
        Assert.Equal("openat2", e.Operation);
        Assert.Equal("\"/x\", O_PATH", e.Arguments);
        Assert.Equal(Errno.EMFILE, e.Errno);
        Assert.Equal(24, e.HResult);
        Assert.Contains("RLIMIT_NOFILE", e.Remedy, StringComparison.Ordinal);
        Assert.StartsWith("openat2(\"/x\", O_PATH): EMFILE (Too many open files). ", e.Message, StringComparison.Ordinal);
        Assert.EndsWith(e.Remedy, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_failure_without_a_known_remedy_ends_with_the_errno()
    {
        Assert.Equal("getxattr(): ENODATA (No data available)", Syscall.Failure(-61, "getxattr").Message);
        Assert.Null(Syscall.Failure(-61, "getxattr").Remedy);
    }

    [Fact]
    public void An_errno_without_a_name_keeps_its_number()
    {
        Assert.Equal("ioctl(): errno 4000 (Unknown error)", Syscall.Failure(-4000, "ioctl").Message);
    }

    [Fact]
    public void Every_errno_has_a_text()
    {
        Assert.All(Enum.GetValues<Errno>().Where(e => e != Errno.None), e => Assert.NotEqual("Unknown error", ErrnoText.Of(e)));
    }
}
