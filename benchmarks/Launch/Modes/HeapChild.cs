using System.Globalization;

namespace Isolation.Benchmarks;

/// <summary>
/// The process of the heap mode that has the heap: says when it is ready, then answers each number on its input with
/// that many launches' durations, and as many of Process.Start.
/// </summary>
internal static class HeapChild
{
    private static Node? _heap;

    internal static async Task<int> RunAsync(Options options)
    {
        Fill(options.HeapMebibytes);
        using BusyboxRoot root = new();
        Entry launch = new("", Specs.Run(Specs.Headline(root))), process = new("", () => Tools.RunCapturedAsync(root.Program));
        for (int i = 0; i < 30; i++)
        {
            await launch.RunAsync(counts: false);
            await process.RunAsync(counts: false);
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{GC.GetTotalMemory(forceFullCollection: true) >> 20} MiB live, {Environment.WorkingSet >> 20} MiB resident"));
        while (Console.ReadLine() is { } line)
        {
            int count = int.Parse(line, CultureInfo.InvariantCulture);
            List<double> launches = [], processes = [];
            for (int i = 0; i < count; i++)
            {
                launches.Add(await TimeAsync(launch));
                processes.Add(await TimeAsync(process));
            }

            Console.WriteLine(Text(launches));
            Console.WriteLine(Text(processes));
        }

        GC.KeepAlive(_heap);
        return 0;
    }

    private static async Task<double> TimeAsync(Entry entry)
    {
        long start = System.Diagnostics.Stopwatch.GetTimestamp();
        await entry.RunAsync(counts: false);
        if (entry.Failure is not null) throw new InvalidOperationException(entry.Failure);
        return System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    // Many objects that lead to one another, each touched, as a real heap has them.
    private static void Fill(int mebibytes)
    {
        for (long left = (long)mebibytes << 20; left > 0; left -= 4096)
        {
            byte[] payload = GC.AllocateUninitializedArray<byte>(4040);
            Array.Fill(payload, (byte)left);
            _heap = new Node(_heap, payload);
        }

        GC.Collect();
    }

    private static string Text(List<double> values) => string.Join(' ', values.Select(value => value.ToString("R", CultureInfo.InvariantCulture)));

    private sealed record Node(Node? Next, byte[] Payload);
}
