namespace Isolation.Linux.Tests;

public class DescriptorEventsTests
{
    private static DescriptorEvents Events => DescriptorEvents.Shared;

    [Fact]
    public void Readiness_reaches_the_handler_on_the_events_thread()
    {
        var (read, write) = Descriptors.Pipe();
        using (read) using (write)
        {
            var recorder = new Recorder(read);
            using var registration = Events.Add(read, Abi.EPOLLIN, recorder);
            Descriptors.WriteAll(write, "x"u8);
            recorder.WaitForCall();
            Assert.Equal([Abi.EPOLLIN], recorder.Events);
            Assert.Equal("isolation-events", recorder.ThreadName);
        }
    }

    [Fact]
    public void What_is_left_unread_is_told_again()
    {
        var (read, write) = Descriptors.Pipe();
        using (read) using (write)
        {
            var recorder = new Recorder(read);
            using var registration = Events.Add(read, Abi.EPOLLIN, recorder);
            Descriptors.WriteAll(write, "xyz"u8);
            for (int i = 0; i < 3; i++) recorder.WaitForCall();
        }
    }

    [Fact]
    public void The_end_of_a_process_is_an_event()
    {
        using var child = Child.Spawn("/bin/sh", "-c", "exit 5");
        var recorder = new Recorder();
        using var registration = Events.Add(child.Descriptor, Abi.EPOLLIN | Abi.EPOLLONESHOT, recorder);
        recorder.WaitForCall();
        Assert.True(child.Descriptor.TryReap(out var status));
        Assert.Equal(5, status.ExitCode);
    }

    [Fact]
    public void After_a_change_to_nothing_only_a_hang_up_is_told()
    {
        var (read, write) = Descriptors.Pipe();
        using (read) using (write)
        {
            var recorder = new Recorder();
            using var registration = Events.Add(read, 0, recorder);
            Descriptors.WriteAll(write, "x"u8);
            Thread.Sleep(50);
            Assert.Empty(recorder.Events);
            Assert.True(registration.Change(Abi.EPOLLIN | Abi.EPOLLONESHOT));
            recorder.WaitForCall();
            Assert.True(registration.Change(Abi.EPOLLONESHOT));
            write.Dispose();
            recorder.WaitForCall();
            Assert.Equal([Abi.EPOLLIN, Abi.EPOLLHUP], recorder.Events);
        }
    }

    [Fact]
    public void A_regular_file_is_refused_with_the_reason()
    {
        string path = Path.GetTempFileName();
        try
        {
            using var file = FileDescriptor.Open(path, Abi.O_RDONLY);
            var e = Assert.Throws<LinuxException>(() => Events.Add(file, Abi.EPOLLIN, new Recorder()));
            Assert.Equal(Errno.EPERM, e.Errno);
            Assert.Contains("regular files", e.Message, StringComparison.Ordinal);
            // The failed registration let go of the descriptor.
            int number = file.Number;
            file.Dispose();
            Assert.NotEqual(path, LinkOf(number));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void A_second_registration_of_a_descriptor_is_refused_with_the_way_out()
    {
        var (read, write) = Descriptors.Pipe();
        using (read) using (write)
        {
            using var first = Events.Add(read, Abi.EPOLLIN, new Recorder());
            var e = Assert.Throws<LinuxException>(() => Events.Add(read, Abi.EPOLLIN, new Recorder()));
            Assert.Equal(Errno.EEXIST, e.Errno);
            Assert.Contains("duplicate", e.Remedy, StringComparison.Ordinal);
            using var copy = Descriptors.Duplicate(read);
            using var second = Events.Add(copy, Abi.EPOLLIN, new Recorder());
        }
    }

    [Fact]
    public void A_closed_descriptor_is_refused()
    {
        var (read, write) = Descriptors.Pipe();
        read.Dispose();
        write.Dispose();
        Assert.Throws<ObjectDisposedException>(() => Events.Add(read, Abi.EPOLLIN, new Recorder()));
    }

    [Fact]
    public void A_watched_descriptor_stays_open_until_the_registration_is_disposed()
    {
        var (read, write) = Descriptors.Pipe();
        using (write)
        {
            string pipe = LinkOf(read.Number);
            int number = read.Number;
            var registration = Events.Add(read, Abi.EPOLLIN, new Recorder());
            read.Dispose();
            Assert.Equal(pipe, LinkOf(number));
            registration.Dispose();
            registration.Dispose();
            Assert.NotEqual(pipe, LinkOf(number));
            Assert.False(registration.Change(Abi.EPOLLIN));
        }
    }

    [Fact]
    public void A_handler_may_dispose_its_own_registration()
    {
        var (read, write) = Descriptors.Pipe();
        using (read) using (write)
        {
            Registration? registration = null;
            var recorder = new Recorder(then: _ =>
            {
                registration!.Dispose();
                registration.WaitIdle();
            });
            registration = Events.Prepare(read, recorder);
            registration.Start(Abi.EPOLLIN);
            Descriptors.WriteAll(write, "x"u8); // never drained: level-triggered, it would be told for ever
            recorder.WaitForCall();
            Thread.Sleep(50);
            Assert.Single(recorder.Events);
        }
    }

    [Fact]
    public void A_registration_disposed_before_its_start_never_starts()
    {
        var (read, write) = Descriptors.Pipe();
        using (read) using (write)
        {
            var recorder = new Recorder();
            var registration = Events.Prepare(read, recorder);
            registration.Dispose();
            registration.Start(Abi.EPOLLIN);
            Descriptors.WriteAll(write, "x"u8);
            Thread.Sleep(50);
            Assert.Empty(recorder.Events);
        }
    }

    [Fact]
    public void An_exception_of_one_handler_is_its_own_affair()
    {
        var (read, write) = Descriptors.Pipe();
        var (read2, write2) = Descriptors.Pipe();
        using (read) using (write) using (read2) using (write2)
        {
            var failing = new Recorder(then: _ => throw new InvalidOperationException("mine"));
            using var first = Events.Add(read, Abi.EPOLLIN, failing);
            var good = new Recorder(read2);
            using var second = Events.Add(read2, Abi.EPOLLIN, good);
            Descriptors.WriteAll(write, "x"u8);
            failing.WaitForCall(); // OnReady
            failing.WaitForCall(); // OnFault
            Assert.Equal("mine", Assert.Single(failing.Faults).Message);
            Descriptors.WriteAll(write2, "x"u8);
            good.WaitForCall();
            // Removed: though the byte still lies there, it is told no more.
            Assert.False(first.Change(Abi.EPOLLIN));
            Assert.Single(failing.Events);
        }
    }

    [Fact]
    public void When_the_kernel_refuses_to_wait_everybody_is_told_and_the_next_starts_afresh()
    {
        var events = new DescriptorEvents();
        var (read, write) = Descriptors.Pipe();
        var (read2, write2) = Descriptors.Pipe();
        using (read) using (write) using (read2) using (write2)
        {
            var first = new Recorder(read);
            using var registration = events.Add(read, Abi.EPOLLIN, first);
            using var readiness = new Readiness(events, read2, Abi.EPOLLIN);
            var waiting = readiness.Reading.WaitAsync(readiness.Reading.Edge, TestContext.Current.CancellationToken).AsTask();
            int number = registration.Epoll!.Number;
            Assert.True(SpinWait.SpinUntil(() => IsWaitedFor(number), TimeSpan.FromSeconds(30)));
            // Somebody puts a file of his own under our number: the wait under way ends normally, the next one cannot begin.
            using (var other = FileDescriptor.Open("/dev/null", Abi.O_RDONLY))
                Syscall.Check(Syscall.Invoke(SystemCall.dup3, other.Number, number, Abi.O_CLOEXEC), "dup3");
            Descriptors.WriteAll(write, "x"u8);
            first.WaitForCall();
            first.WaitForCall();
            Assert.Equal(Errno.EINVAL, Assert.IsType<LinuxException>(Assert.Single(first.Faults)).Errno);
            Assert.True(SpinWait.SpinUntil(() => waiting.IsCompleted, TimeSpan.FromSeconds(30)));
            Assert.IsType<LinuxException>(readiness.Fault);
            Assert.Equal("/dev/null", LinkOf(number)); // not closed by us: it is not ours any more
            Syscall.close(number);

            var again = new Recorder(read);
            using var second = events.Add(read, Abi.EPOLLIN, again);
            Descriptors.WriteAll(write, "x"u8);
            again.WaitForCall();
        }
    }

    // proc_pid_syscall(5): of a thread that waits in a system call, its number and its operands.
    private static bool IsWaitedFor(int descriptor) =>
        Directory.GetDirectories("/proc/self/task").Any(task => SystemCallOf(task).Split(' ') is [_, var first, ..] && first == $"0x{descriptor:x}");

    private static string SystemCallOf(string task)
    {
        try
        {
            return File.ReadAllText(task + "/syscall");
        }
        catch (IOException)
        {
            return ""; // it has ended since it was listed
        }
    }

    private static string LinkOf(int number)
    {
        try
        {
            return File.ResolveLinkTarget($"/proc/self/fd/{number}", returnFinalTarget: false)!.FullName;
        }
        catch (FileNotFoundException)
        {
            return "(closed)";
        }
    }
}
