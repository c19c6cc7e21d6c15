namespace Isolation.Linux.Tests;

public class WaitAsyncTests
{
    private static DescriptorEvents Events => DescriptorEvents.Shared;

    [Fact]
    public async Task Completes_when_ready_and_can_be_waited_for_again_at_once()
    {
        var (read, write) = Descriptors.Pipe();
        using (read) using (write)
        {
            for (int i = 0; i < 100; i++)
            {
                var wait = Events.WaitAsync(read, Abi.EPOLLIN, TestContext.Current.CancellationToken);
                Descriptors.WriteAll(write, "x"u8);
                Assert.Equal(Abi.EPOLLIN, await wait);
                Assert.Equal(1, Descriptors.Read(read, new byte[8]));
            }
        }
    }

    [Fact]
    public async Task Continues_elsewhere_than_on_the_events_thread()
    {
        var (read, write) = Descriptors.Pipe();
        using (read) using (write)
        {
            var wait = Events.WaitAsync(read, Abi.EPOLLIN, TestContext.Current.CancellationToken).AsTask();
            var name = wait.ContinueWith(_ => Thread.CurrentThread.Name, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            Assert.False(wait.IsCompleted);
            Descriptors.WriteAll(write, "x"u8);
            Assert.NotEqual("isolation-events", await name);
        }
    }

    [Fact]
    public async Task Cancelling_ends_the_wait_and_frees_the_descriptor()
    {
        var (read, write) = Descriptors.Pipe();
        using (read) using (write)
        {
            using var source = new CancellationTokenSource();
            var wait = Events.WaitAsync(read, Abi.EPOLLIN, source.Token);
            Assert.False(wait.IsCompleted);
            await source.CancelAsync();
            var e = await Assert.ThrowsAsync<OperationCanceledException>(async () => await wait);
            Assert.Equal(source.Token, e.CancellationToken);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await Events.WaitAsync(read, Abi.EPOLLIN, source.Token));
            Descriptors.WriteAll(write, "x"u8);
            Assert.Equal(Abi.EPOLLIN, await Events.WaitAsync(read, Abi.EPOLLIN, TestContext.Current.CancellationToken));
        }
    }

    [Fact]
    public async Task A_refusal_is_the_tasks_exception()
    {
        using var directory = FileDescriptor.Open("/", Abi.O_RDONLY);
        var wait = Events.WaitAsync(directory, Abi.EPOLLIN, TestContext.Current.CancellationToken);
        Assert.Equal(Errno.EPERM, (await Assert.ThrowsAsync<LinuxException>(async () => await wait)).Errno);
    }

    [Fact]
    public async Task Readiness_racing_cancellation_completes_each_wait_once()
    {
        var (read, write) = Descriptors.Pipe(Abi.O_NONBLOCK);
        using (read) using (write)
        {
            int ready = 0, cancelled = 0;
            for (int i = 0; i < 500; i++)
            {
                using var source = new CancellationTokenSource();
                var wait = Events.WaitAsync(read, Abi.EPOLLIN, source.Token);
                var canceller = Task.Run(source.Cancel, CancellationToken.None);
                if (i % 2 == 0) Thread.SpinWait(i);
                Descriptors.TryWrite(write, "x"u8);
                try
                {
                    await wait;
                    ready++;
                }
                catch (OperationCanceledException)
                {
                    cancelled++;
                }
                await canceller;
                Descriptors.TryRead(read, new byte[8]);
            }
            Assert.Equal(500, ready + cancelled);
            // Registered again without EEXIST: neither outcome left anything behind.
            using var last = Events.Add(read, Abi.EPOLLIN, new Recorder());
        }
    }
}
