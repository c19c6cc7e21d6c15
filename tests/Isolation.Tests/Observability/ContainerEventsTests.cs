using Microsoft.Extensions.Logging.Abstractions;

namespace Isolation.Tests;

/// <summary>The events that are kept, and who reads them how.</summary>
public sealed class ContainerEventsTests
{
    [Fact]
    public async Task One_that_reads_late_reads_all()
    {
        ContainerEvents events = Make();
        for (int i = 1; i <= ContainerEvents.Kept; i++) events.Add(Numbered(i));
        events.Complete(Numbered(ContainerEvents.Kept + 1));

        List<ContainerEvent> read = await ReadAsync(events);

        Assert.Equal(Enumerable.Range(1, ContainerEvents.Kept + 1), read.Select(happened => happened.ProcessId));
        Assert.Equal(read.Select(happened => (long)happened.ProcessId), read.Select(happened => happened.Sequence));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(1000)]
    public async Task Of_too_many_the_first_and_the_last_are_there_and_the_numbers_show_the_gap(int over)
    {
        ContainerEvents events = Make();
        int count = ContainerEvents.Kept + 1 + over;
        for (int i = 1; i < count; i++) events.Add(Numbered(i));
        events.Complete(Numbered(count));

        List<ContainerEvent> read = await ReadAsync(events);

        Assert.Equal([1, .. Enumerable.Range(count - ContainerEvents.Kept + 1, ContainerEvents.Kept)], read.Select(happened => happened.ProcessId));
        Assert.All(read, happened => Assert.Equal(happened.ProcessId, happened.Sequence));
    }

    [Fact]
    public async Task What_comes_after_the_last_is_left_out()
    {
        ContainerEvents events = Make();
        events.Add(Numbered(1));
        events.Complete(Numbered(2));
        events.Add(Numbered(3));
        events.Complete(Numbered(4));

        Assert.Equal([1, 2], (await ReadAsync(events)).Select(happened => happened.ProcessId));
    }

    [Fact]
    public async Task Readers_who_keep_up_read_all_while_it_happens()
    {
        const int Count = 2000;
        ContainerEvents events = Make();
        using SemaphoreSlim read = new(0);
        Task<List<ContainerEvent>> reader = Task.Run(() => ReadAsync(events, () => read.Release()), TestContext.Current.CancellationToken);
        for (int i = 1; i <= Count; i++)
        {
            if (i == Count) events.Complete(Numbered(i));
            else events.Add(Numbered(i));
            if (i % 100 == 0)
                for (int j = 0; j < 100; j++) await read.WaitAsync(TestContext.Current.CancellationToken);
        }

        Assert.Equal(Enumerable.Range(1, Count), (await reader).Select(happened => happened.ProcessId));
    }

    [Fact]
    public async Task Watches_that_were_given_up_leave_nothing_that_the_next_one_meets()
    {
        ContainerEvents events = Make();
        events.Add(Numbered(1));
        for (int i = 0; i < 100; i++)
        {
            using CancellationTokenSource source = new();
            IAsyncEnumerator<ContainerEvent> watch = events.ReadAsync(TestContext.Current.CancellationToken).GetAsyncEnumerator(source.Token);
            Assert.True(await watch.MoveNextAsync());
            ValueTask<bool> next = watch.MoveNextAsync();
            await source.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await next);
            await watch.DisposeAsync();
        }

        events.Complete(Numbered(2));

        Assert.Equal([1, 2], (await ReadAsync(events)).Select(happened => happened.ProcessId));
    }

    [Fact]
    public async Task Callbacks_never_run_side_by_side_and_keep_the_order()
    {
        const int Count = 500;
        List<long> seen = [];
        int inside = 0, beside = 0;
        TaskCompletionSource over = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using SemaphoreSlim called = new(0);
        ContainerEvents events = new(happened =>
        {
            if (Interlocked.Increment(ref inside) > 1) beside++;
            seen.Add(happened.Sequence);
            Interlocked.Decrement(ref inside);
            called.Release();
            if (happened.Sequence == Count) over.SetResult();
        }, NullLogger.Instance);

        for (int i = 1; i <= Count; i++)
        {
            if (i == Count) events.Complete(Numbered(i));
            else events.Add(Numbered(i));
            if (i % 50 == 0)
                for (int j = 0; j < 50; j++) await called.WaitAsync(TestContext.Current.CancellationToken);
        }

        await over.Task.WaitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(Enumerable.Range(1, Count).Select(number => (long)number), seen);
        Assert.Equal(0, beside);
    }

    private static ContainerEvents Make() => new(null, NullLogger.Instance);

    private static ContainerEvent Numbered(int number) => new() { Container = "c", ProcessId = number };

    private static async Task<List<ContainerEvent>> ReadAsync(ContainerEvents events, Action? onRead = null)
    {
        List<ContainerEvent> read = [];
        await foreach (ContainerEvent happened in events.ReadAsync(TestContext.Current.CancellationToken))
        {
            read.Add(happened);
            onRead?.Invoke();
        }

        return read;
    }
}
