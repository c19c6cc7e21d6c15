namespace Isolation.Linux.Tests;

public class ReadinessTests
{
    [Fact]
    public async Task Each_edge_ends_one_wait_without_another_registration()
    {
        var (read, write) = Descriptors.Pipe(Abi.O_NONBLOCK);
        using (read) using (write)
        {
            using var readiness = new Readiness(DescriptorEvents.Shared, read, Abi.EPOLLIN);
            for (int i = 0; i < 100; i++)
            {
                int edge = readiness.Reading.Edge;
                var wait = readiness.Reading.WaitAsync(edge, TestContext.Current.CancellationToken);
                Descriptors.WriteAll(write, "x"u8);
                await wait;
                Assert.Equal(1, Descriptors.Read(read, new byte[8]));
            }
        }
    }

    [Fact]
    public async Task An_edge_between_the_read_and_the_wait_is_not_lost()
    {
        var (read, write) = Descriptors.Pipe(Abi.O_NONBLOCK);
        using (read) using (write)
        {
            using var readiness = new Readiness(DescriptorEvents.Shared, read, Abi.EPOLLIN);
            readiness.Start();
            for (int i = 0; i < 100; i++)
            {
                int edge = readiness.Reading.Edge;
                Descriptors.WriteAll(write, "x"u8);
                Assert.True(SpinWait.SpinUntil(() => readiness.Reading.Edge != edge, TimeSpan.FromSeconds(30)));
                var wait = readiness.Reading.WaitAsync(edge, TestContext.Current.CancellationToken);
                Assert.True(wait.IsCompletedSuccessfully);
                await wait;
            }
        }
    }

    [Fact]
    public async Task What_is_there_before_the_first_wait_is_an_edge()
    {
        var (read, write) = Descriptors.Pipe(Abi.O_NONBLOCK);
        using (read) using (write)
        {
            using var readiness = new Readiness(DescriptorEvents.Shared, read, Abi.EPOLLIN);
            Descriptors.WriteAll(write, "x"u8);
            await readiness.Reading.WaitAsync(readiness.Reading.Edge, TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public async Task Both_directions_of_one_descriptor_are_waited_for_at_once()
    {
        var (one, other) = Descriptors.SocketPair(Abi.SOCK_STREAM | Abi.SOCK_NONBLOCK);
        using (one) using (other)
        {
            byte[] much = new byte[64 << 10];
            while (Descriptors.TryWrite(one, much) > 0)
            {
            }

            using var readiness = new Readiness(DescriptorEvents.Shared, one, Abi.EPOLLIN | Abi.EPOLLOUT);
            readiness.Start();
            int reading = readiness.Reading.Edge;
            Task read = readiness.Reading.WaitAsync(reading, TestContext.Current.CancellationToken).AsTask();
            Task write = readiness.Writing.WaitAsync(readiness.Writing.Edge, TestContext.Current.CancellationToken).AsTask();
            Assert.False(read.IsCompleted);
            await Assert.ThrowsAsync<InvalidOperationException>(async () => await readiness.Reading.WaitAsync(reading, CancellationToken.None));
            Descriptors.WriteAll(other, "x"u8);
            await read;
            while (Descriptors.TryRead(other, much) > 0)
            {
            }

            await write;
        }
    }

    [Fact]
    public async Task It_continues_elsewhere_than_on_the_events_thread()
    {
        var (read, write) = Descriptors.Pipe(Abi.O_NONBLOCK);
        using (read) using (write)
        {
            using var readiness = new Readiness(DescriptorEvents.Shared, read, Abi.EPOLLIN);
            var wait = readiness.Reading.WaitAsync(readiness.Reading.Edge, TestContext.Current.CancellationToken).AsTask();
            var name = wait.ContinueWith(_ => Thread.CurrentThread.Name, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            Descriptors.WriteAll(write, "x"u8);
            Assert.NotEqual("isolation-events", await name);
        }
    }

    [Fact]
    public async Task A_cancelled_wait_ends_and_the_next_one_waits_anew()
    {
        var (read, write) = Descriptors.Pipe(Abi.O_NONBLOCK);
        using (read) using (write)
        {
            using var readiness = new Readiness(DescriptorEvents.Shared, read, Abi.EPOLLIN);
            using var source = new CancellationTokenSource();
            Task wait = readiness.Reading.WaitAsync(readiness.Reading.Edge, source.Token).AsTask();
            await source.CancelAsync();
            var e = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => wait);
            Assert.Equal(source.Token, e.CancellationToken);
            Task next = readiness.Reading.WaitAsync(readiness.Reading.Edge, TestContext.Current.CancellationToken).AsTask();
            Assert.False(next.IsCompleted);
            Descriptors.WriteAll(write, "x"u8);
            await next;
        }
    }

    [Fact]
    public async Task An_edge_racing_cancellation_ends_each_wait_once()
    {
        var (read, write) = Descriptors.Pipe(Abi.O_NONBLOCK);
        using (read) using (write)
        {
            using var readiness = new Readiness(DescriptorEvents.Shared, read, Abi.EPOLLIN);
            int ready = 0, cancelled = 0;
            for (int i = 0; i < 500; i++)
            {
                using var source = new CancellationTokenSource();
                Task wait = readiness.Reading.WaitAsync(readiness.Reading.Edge, source.Token).AsTask();
                Task canceller = Task.Run(source.Cancel, CancellationToken.None);
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
        }
    }

    [Fact]
    public async Task Disposing_wakes_who_waits_and_lets_go_of_the_descriptor()
    {
        var (read, write) = Descriptors.Pipe(Abi.O_NONBLOCK);
        using (read) using (write)
        {
            var readiness = new Readiness(DescriptorEvents.Shared, read, Abi.EPOLLIN);
            Task wait = readiness.Reading.WaitAsync(readiness.Reading.Edge, TestContext.Current.CancellationToken).AsTask();
            readiness.Dispose();
            await wait;
            using var again = DescriptorEvents.Shared.Add(read, Abi.EPOLLIN, new Recorder()); // EEXIST otherwise
        }
    }

    [Fact]
    public async Task What_cannot_be_waited_for_is_refused_each_time()
    {
        using var directory = FileDescriptor.Open("/", Abi.O_RDONLY);
        using var readiness = new Readiness(DescriptorEvents.Shared, directory, Abi.EPOLLIN);
        for (int i = 0; i < 2; i++)
            Assert.Equal(Errno.EPERM, (await Assert.ThrowsAsync<LinuxException>(async () => await readiness.Reading.WaitAsync(readiness.Reading.Edge, TestContext.Current.CancellationToken))).Errno);
    }
}
