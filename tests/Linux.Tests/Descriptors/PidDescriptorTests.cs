namespace Isolation.Linux.Tests;

public class PidDescriptorTests
{
    // Process.Start's children are reaped by .NET itself; these tests make their own, which .NET does not know, as the
    // launch engine does: vfork-like, by posix_spawn.
    [Theory]
    [InlineData("exit 0", 0)]
    [InlineData("exit 7", 7)]
    [InlineData("exit 255", 255)]
    public void An_exit_code_arrives(string script, int code)
    {
        using var child = Child.Spawn("/bin/sh", "-c", script);
        WaitStatus status = child.WaitForEnd();
        Assert.Equal(WaitOutcome.Exited, status.Outcome);
        Assert.Equal(code, status.ExitCode);
        Assert.Null(status.Signal);
        Assert.InRange(status.MaxResidentBytes, 64 * 1024, 1L << 30);
        Assert.Equal($"exited with code {code}", status.ToString());
    }

    [Fact]
    public void A_signal_arrives()
    {
        using var child = Child.Spawn("/bin/sleep", "1000");
        Assert.False(child.Descriptor.TryReap(out _));
        Assert.True(child.Descriptor.SendSignal(0));
        Assert.True(child.Descriptor.SendSignal(Abi.SIGKILL));
        WaitStatus status = child.WaitForEnd();
        Assert.Equal(WaitOutcome.Killed, status.Outcome);
        Assert.Equal(Abi.SIGKILL, status.Signal);
        Assert.Null(status.ExitCode);
    }

    [Fact]
    public void A_reaped_process_takes_no_signal_and_keeps_its_status()
    {
        using var child = Child.Spawn("/bin/sh", "-c", "exit 3");
        child.WaitForEnd();
        Assert.False(child.Descriptor.SendSignal(Abi.SIGTERM));
        Assert.True(child.Descriptor.TryReap(out var again));
        Assert.Equal(3, again.ExitCode);
    }

    [Fact]
    public void CPU_time_is_that_of_the_process()
    {
        using var child = Child.Spawn("/bin/sh", "-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done");
        WaitStatus status = child.WaitForEnd();
        Assert.InRange(status.UserTime + status.SystemTime, TimeSpan.FromMilliseconds(20), TimeSpan.FromSeconds(60));
    }

    [Fact]
    public void Reaped_by_somebody_else_is_unknown_and_not_success()
    {
        using var child = Child.Spawn("/bin/sh", "-c", "exit 0");
        using var other = PidDescriptor.Open(child.Pid);
        child.WaitForEnd();
        Assert.True(other.TryReap(out var status));
        Assert.Equal(WaitOutcome.Unknown, status.Outcome);
        Assert.Null(status.ExitCode);
        Assert.Equal(TimeSpan.Zero, status.UserTime);
    }

    [Fact]
    public void A_living_process_that_is_no_child_of_ours_has_not_ended()
    {
        using var self = PidDescriptor.Open(Environment.ProcessId);
        Assert.False(self.TryReap(out _));
    }

    [Fact]
    public void No_process_is_told_by_number()
    {
        var e = Assert.Throws<LinuxException>(() => PidDescriptor.Open(int.MaxValue));
        Assert.Equal("pidfd_open(2147483647): ESRCH (No such process)", e.Message);
    }

    [Fact]
    public void Many_reapers_get_one_status()
    {
        using var child = Child.Spawn("/bin/sh", "-c", "exit 9");
        var codes = new int?[4];
        var threads = Enumerable.Range(0, codes.Length).Select(i => new Thread(() =>
        {
            WaitStatus status;
            while (!child.Descriptor.TryReap(out status)) Thread.Yield();
            codes[i] = status.ExitCode;
        })).ToList();
        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());
        Assert.All(codes, c => Assert.Equal(9, c));
    }
}
