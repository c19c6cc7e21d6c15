using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Isolation.Images;

namespace Isolation.Nested;

/// <summary>
/// Programs that load, unpack, commit, remove and collect in one store at the same time. They say what they have been promised,
/// and are killed at random moments, or work to their end.
/// </summary>
internal static class StoreChurn
{
    private const int AtOnce = 3;

    /// <summary>Kills as often as is said; a line for each time.</summary>
    internal static async Task<int> RunAsync(string directory, int kills, int seed)
    {
        Random random = new(seed);
        string sources = Directory.CreateDirectory(Path.Join(directory, "sources")).FullName;
        StoreImages.MakeOld(sources);
        StoreImages.MakeNew(sources);
        for (int i = 0; i < kills; i++)
        {
            string path = Path.Join(directory, i.ToString(CultureInfo.InvariantCulture));
            int delay = random.Next(800);
            ConcurrentBag<string> names = [], errors = [];
            Process[] victims = [.. Enumerable.Range(0, AtOnce).Select(number => StoreKiller.Start("churning", path, sources, $"v{number}", int.MaxValue.ToString(CultureInfo.InvariantCulture)))];
            TaskCompletionSource ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
            Task[] listening = [.. victims.Select(victim => ListenAsync(victim, names, ready)), .. victims.Select(async victim => errors.Add(await victim.StandardError.ReadToEndAsync()))];
            await Task.WhenAny(ready.Task, Task.WhenAll(listening)); // the first of them has begun, or none ever will
            await Task.Delay(delay);
            foreach (Process victim in victims) victim.Kill();
            await Task.WhenAll(listening);
            foreach (Process victim in victims) victim.Dispose();
            StoreCuts.Report("churn", i, $"after {delay} ms: {string.Concat(errors)}", errors.All(error => error.Length == 0) ? await CheckAsync(path, names) : "an error");
        }

        return 0;
    }

    /// <summary>Works for some rounds, and says each name before it may go, and when it must be there.</summary>
    internal static async Task<int> WorkAsync(string path, string sources, string who, int rounds)
    {
        Console.WriteLine("ready");
        ImageStore store = await ImageStore.OpenAsync(path);
        using Linux.FileDescriptor upper = StoreOperation.Upper(Path.Join(sources, who));
        for (int round = 0; round < rounds; round++)
        {
            string loaded = $"localhost/{who}/loaded:{round}", committed = $"localhost/{who}/committed:{round}";
            await store.LoadAsync(Path.Join(sources, round % 2 == 0 ? "new-1.tar" : "old-1.tar"), new() { Reference = ImageReference.Parse(loaded) });
            Console.WriteLine($"+{loaded}");
            if (await StoreOperation.UnpackAsync(store, loaded) == 0) throw new InvalidOperationException("The layers are empty.");
            await StoreOperation.CommitAsync(store, loaded, committed, upper);
            Console.WriteLine($"+{committed}");
            foreach (string name in (string[])[loaded, committed])
            {
                Console.WriteLine($"-{name}");
                if (!await store.RemoveAsync(ImageReference.Parse(name))) throw new InvalidOperationException($"{name} was not there.");
            }

            await store.CollectAsync();
        }

        return 0;
    }

    private static async Task ListenAsync(Process victim, ConcurrentBag<string> names, TaskCompletionSource ready)
    {
        HashSet<string> promised = [];
        while (await victim.StandardOutput.ReadLineAsync() is { } line)
        {
            if (line == "ready") ready.TrySetResult();
            else if (line[0] == '+') promised.Add(line[1..]);
            else promised.Remove(line[1..]);
        }

        foreach (string name in promised) names.Add(name);
    }

    private static async Task<string> CheckAsync(string path, IEnumerable<string> promised)
    {
        try
        {
            ImageStore store = await ImageStore.OpenAsync(path);
            string[] lost = [.. promised.Except(await StoreCheck.NamesAsync(store))];
            return lost.Length > 0 ? $"lost: {string.Join(", ", lost)}" : await StoreCheck.SoundAsync(path);
        }
        catch (Exception exception) when (exception is ImageException or IOException)
        {
            return exception.ToString().ReplaceLineEndings(" ");
        }
    }
}
