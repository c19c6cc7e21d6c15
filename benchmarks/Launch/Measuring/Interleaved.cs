namespace Isolation.Benchmarks;

/// <summary>
/// Runs entries in turn, so that a drift of the machine hits all alike. Each round has an order of its own, the same in
/// every run: what one launch leaves to the kernel to tidy (a network namespace is torn down by a worker thread, after
/// its last process has ended) would else always be paid by the same neighbour.
/// </summary>
internal static class Interleaved
{
    internal static async Task RunAsync(IReadOnlyList<Entry> entries, int warmup, int rounds)
    {
        Entry[] order = [.. entries];
        Random random = new(20260101);
        for (int round = -warmup; round < rounds; round++)
        {
            random.Shuffle(order);
            foreach (Entry entry in order) await entry.RunAsync(counts: round >= 0);
            Progress.Show(round, rounds);
        }
    }
}
