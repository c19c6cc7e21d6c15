using System.Diagnostics;
using System.Globalization;
using Isolation.Images;
using Isolation.Linux;

namespace Isolation.Nested;

/// <summary>What other processes do with a store of images.</summary>
internal static class StoreModes
{
    internal static async Task<int> RunAsync(Queue<string> words) => words.Dequeue() switch
    {
        "die" => await DieAsync(new(words.Dequeue(), words.Dequeue()), words.Dequeue(), bool.Parse(words.Dequeue()), Number(words)),
        "kill" => await StoreKiller.RunAsync(words.Dequeue(), words.Dequeue(), bool.Parse(words.Dequeue()), Number(words)),
        "churn" => await StoreChurn.RunAsync(words.Dequeue(), Number(words), Number(words)),
        "churning" => await StoreChurn.WorkAsync(words.Dequeue(), words.Dequeue(), words.Dequeue(), Number(words)),
        "fail" => await StoreFailures.RunAsync(words.Dequeue(), words.Dequeue(), Enum.Parse<Errno>(words.Dequeue()), Number(words)),
        "power" => await StorePower.RunAsync(words.Dequeue(), words.Dequeue(), bool.Parse(words.Dequeue()), Number(words)),
        "full" => await StoreFull.RunAsync(words.Dequeue(), words.Dequeue()),
        "unpack" => await UnpackAsync(words.Dequeue(), words.Dequeue()),
        "hold" => await HoldAsync(words.Dequeue(), words.Dequeue()),
        "read-only" => await ReadOnlyAsync(words.Dequeue(), words.Dequeue()),
        string other => throw new ArgumentException($"There is no mode 'store {other}'."),
    };

    private static int Number(Queue<string> words) => int.Parse(words.Dequeue(), CultureInfo.InvariantCulture);

    /// <summary>Dies before the n-th call; says how many there were where there were fewer.</summary>
    private static async Task<int> DieAsync(StoreOperation operation, string store, bool all, int number)
    {
        using Process self = Process.GetCurrentProcess();
        Func<int> count = StoreCuts.At(all, number, _ =>
        {
            self.Kill();
            Thread.Sleep(Timeout.Infinite); // until it is dead
            return 0;
        });
        await operation.RunAsync(store);
        Console.WriteLine(count());
        return 0;
    }

    /// <summary>Unpacks when it is told to, and says how many layers it unpacked itself: each is brought to disk once.</summary>
    private static async Task<int> UnpackAsync(string path, string reference)
    {
        ImageStore store = await ImageStore.OpenAsync(path);
        int layers = 0;
        Syscall.Failpoint = call =>
        {
            if (call == SystemCall.syncfs) Interlocked.Increment(ref layers);
            return 0;
        };
        Console.WriteLine("ready");
        await Console.In.ReadLineAsync();
        Image image = await store.GetAsync(ImageReference.Parse(reference));
        await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => store.UnpackAsync(image)));
        Console.WriteLine(layers);
        return 0;
    }

    /// <summary>Uses an image until it is killed.</summary>
    private static async Task<int> HoldAsync(string path, string reference)
    {
        ImageStore store = await ImageStore.OpenAsync(path);
        UnpackedImage unpacked = await store.UnpackAsync(await store.GetAsync(ImageReference.Parse(reference)));
        Console.WriteLine("ready");
        await Console.In.ReadLineAsync();
        GC.KeepAlive(unpacked);
        return 0;
    }

    /// <summary>What can be done with a store that cannot be written: a line for each thing, and what came of it.</summary>
    private static async Task<int> ReadOnlyAsync(string path, string archive)
    {
        ImageStore store = await ImageStore.OpenAsync(path);
        ImageReference old = ImageReference.Parse(StoreImages.Old);
        Image image = await store.GetAsync(old);
        (string, Func<Task<string>>)[] things =
        [
            ("list", async () => $"{(await store.ListAsync()).Count}"),
            ("usage", async () => $"{(await store.GetUsageAsync()).Images}"),
            ("unpack", async () => $"{(await store.UnpackAsync(image)).Layers.Count(Directory.Exists)}"),
            ("save", async () =>
            {
                await store.SaveArchiveAsync([image], Stream.Null);
                return "done";
            }),
            ("tag", async () =>
            {
                await store.TagAsync(image, ImageReference.Parse("other"));
                return "done";
            }),
            ("remove", async () => $"{await store.RemoveAsync(old)}"),
            ("load", async () => $"{(await store.LoadAsync(archive)).Count}"),
            ("collect", async () => $"{await store.CollectAsync()}"),
        ];
        foreach ((string name, Func<Task<string>> thing) in things) Console.WriteLine($"{name} {await OutcomeAsync(thing)}");
        return 0;
    }

    private static async Task<string> OutcomeAsync(Func<Task<string>> thing)
    {
        try
        {
            return await thing();
        }
        catch (ImageException exception)
        {
            return $"{exception.Reason} {exception.Errno}";
        }
    }
}
