using System.Collections.Concurrent;

namespace Isolation.Linux.Tests;

[Collection(nameof(Races))]
public class DescriptorEventsStressTests
{
    private const int Registrations = 10_000;

    [Fact]
    public void Ten_thousand_registrations_from_many_threads_cost_little_and_all_fire()
    {
        // One pipe each would want 20,000 descriptors; duplicates of one read end are registrations of their own.
        Assert.SkipUnless(DescriptorLimit() > Registrations + 1000, $"RLIMIT_NOFILE is {DescriptorLimit()}, and the test wants {Registrations + 1000}.");
        var events = new DescriptorEvents();
        var (read, write) = Descriptors.Pipe();
        using (read) using (write)
        {
            var copies = new FileDescriptor[Registrations];
            for (int i = 0; i < copies.Length; i++) copies[i] = Descriptors.Duplicate(read);
            var counter = new Counter(Registrations);
            var registrations = new Registration[Registrations];
            // The JIT and the thread first, so that only registrations are counted.
            using (events.Add(read, 0, counter)) { }
            long allocated = 0;
            Parallel.For(0, 8, part =>
            {
                long before = GC.GetAllocatedBytesForCurrentThread();
                for (int i = part; i < Registrations; i += 8) registrations[i] = events.Add(copies[i], Abi.EPOLLIN | Abi.EPOLLONESHOT, counter);
                Interlocked.Add(ref allocated, GC.GetAllocatedBytesForCurrentThread() - before);
            });
            Assert.Equal(Registrations, events.Table.Count);
            Assert.InRange(allocated / Registrations, 1, 300);
            Descriptors.WriteAll(write, "x"u8);
            Assert.True(counter.Done.Wait(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken), $"{counter.Count} of {Registrations} were called.");
            Parallel.ForEach(registrations, r => r.Dispose());
            Assert.Equal(0, events.Table.Count);
            Array.ForEach(copies, c => c.Dispose());
        }
    }

    [Fact]
    public void No_handler_is_called_for_a_registration_that_was_disposed()
    {
        // Numbers are used again as fast as can be, with data already waiting in every pipe: were a stale event ever
        // delivered, or a number mixed up, a handler would be called after its Dispose had returned.
        var wrong = new ConcurrentQueue<string>();
        var deadline = DateTime.UtcNow.AddSeconds(2);
        long rounds = 0, calls = 0;
        var threads = Enumerable.Range(0, 4).Select(_ => new Thread(() =>
        {
            while (DateTime.UtcNow < deadline)
            {
                var (read, write) = Descriptors.Pipe();
                var handler = new Guarded(wrong);
                Descriptors.WriteAll(write, "x"u8);
                var registration = DescriptorEvents.Shared.Add(read, Abi.EPOLLIN, handler);
                if ((rounds & 3) != 0) Thread.SpinWait((int)(rounds % 4000));
                registration.Dispose();
                registration.WaitIdle();
                handler.Dead = true;
                read.Dispose();
                write.Dispose();
                Interlocked.Increment(ref rounds);
                Interlocked.Add(ref calls, handler.Calls);
            }
        })).ToList();
        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());
        Assert.Empty(wrong);
        // The race was a race: handlers were called in some rounds.
        Assert.InRange(calls, 1, long.MaxValue);
        Assert.InRange(rounds, 100, long.MaxValue);
    }

    private static long DescriptorLimit()
    {
        string line = File.ReadLines("/proc/self/limits").First(l => l.StartsWith("Max open files", StringComparison.Ordinal));
        string soft = line["Max open files".Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0];
        return soft == "unlimited" ? long.MaxValue : long.Parse(soft, System.Globalization.CultureInfo.InvariantCulture);
    }

    private sealed class Counter(int target) : IDescriptorHandler
    {
        private int _count;

        internal ManualResetEventSlim Done { get; } = new();

        internal int Count => _count;

        public void OnReady(uint events)
        {
            if (Interlocked.Increment(ref _count) == target) Done.Set();
        }
    }

    private sealed class Guarded(ConcurrentQueue<string> wrong) : IDescriptorHandler
    {
        internal volatile bool Dead;
        internal int Calls;

        public void OnReady(uint events)
        {
            Calls++;
            if (Dead) wrong.Enqueue("called after the disposal");
        }

        public void OnFault(Exception exception) => wrong.Enqueue(exception.Message);
    }
}
