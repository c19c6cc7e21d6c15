using System.Globalization;
using Isolation.Images;
using Isolation.Linux;

namespace Isolation.Nested;

/// <summary>Each call of an operation that changes a store fails in turn, once, and a line for each: what came of it, and what was left.</summary>
internal static class StoreFailures
{
    internal static async Task<int> RunAsync(string directory, string name, Errno errno, int most)
    {
        string sources = Directory.CreateDirectory(Path.Join(directory, "sources")).FullName, before = Path.Join(directory, "before");
        StoreOperation operation = new(name, sources);
        await operation.PrepareAsync(before);
        await StoreKiller.CopyAsync(before, Path.Join(directory, "count"));
        int count = await StoreCuts.CountAsync(all: true, () => operation.RunAsync(Path.Join(directory, "count")));
        foreach (int number in StoreCuts.Numbers(count, most))
        {
            string store = Path.Join(directory, number.ToString(CultureInfo.InvariantCulture));
            await StoreKiller.CopyAsync(before, store);
            SystemCall failed = default;
            Func<int> stop = StoreCuts.At(all: true, number, call =>
            {
                failed = call;
                return -(int)errno;
            });
            string outcome = await OutcomeAsync(() => operation.RunAsync(store));
            stop();
            StoreCuts.Report(name, number, outcome, await StoreCheck.AsWasAsync(operation, store, outcome == "done") is var left and not "nothing" ? $"{failed}: {left}" : "nothing");
        }

        return 0;
    }

    /// <summary><c>done</c>, or which exception.</summary>
    internal static async Task<string> OutcomeAsync(Func<Task> run)
    {
        try
        {
            await run();
            return "done";
        }
        catch (ImageException exception)
        {
            return $"{exception.Reason}: {exception.Message}";
        }
        catch (Exception exception)
        {
            return $"untyped: {exception}";
        }
    }
}
