using Isolation.Images;

namespace Isolation.Nested;

/// <summary>
/// A small file system with room for nothing, for one page, for two and so on, until there is enough for an operation; and the
/// same with inodes. A line for each: what came of it, and what was left. For a tmpfs mounted with little of both.
/// </summary>
internal static class StoreFull
{
    private const int Page = 4096;

    internal static async Task<int> RunAsync(string disk, string name)
    {
        string sources = Directory.CreateTempSubdirectory("isolation-sources-").FullName;
        StoreOperation operation = new(name, sources);
        foreach (bool inodes in (bool[])[false, true])
        {
            for (int room = 0, done = 0; done == 0; room++)
            {
                string store = Path.Join(disk, "store");
                await operation.PrepareAsync(store);
                StoreCheck.LetGo();
                Fill(disk, inodes, room);
                string outcome = await StoreFailures.OutcomeAsync(() => operation.RunAsync(store));
                if (outcome == "done") done++;
                string left = Directory.Exists(Path.Join(store, "isolation/leases")) ? StoreCheck.Left(store) : "";
                if (left.Length == 0 && outcome != "done" && name != "open") left = await ReadAsync(operation, store);
                foreach (string fill in Directory.GetFiles(disk, "fill*")) File.Delete(fill);
                if (left.Length == 0) left = await StoreCheck.AsWasAsync(operation, store, outcome == "done");
                StoreCuts.Report(inodes ? name + " inodes" : name, room, outcome, left);
                Directory.Delete(store, recursive: true);
            }
        }

        return 0;
    }

    /// <summary>Reading needs no room.</summary>
    private static async Task<string> ReadAsync(StoreOperation operation, string path)
    {
        string[] names = await StoreCheck.NamesAsync(await ImageStore.OpenAsync(path));
        return operation.States.Any(state => state.SequenceEqual(names)) ? "" : $"the names are {string.Join(", ", names)}";
    }

    private static void Fill(string disk, bool inodes, int room)
    {
        if (inodes)
        {
            int files = 0;
            while (TryMake(Path.Join(disk, $"fill{files}"))) files++;
            for (int i = Math.Max(0, files - room); i < files; i++) File.Delete(Path.Join(disk, $"fill{i}"));
            return;
        }

        using FileStream fill = new(Path.Join(disk, "fill"), new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0 });
        try
        {
            while (true) fill.Write(new byte[Page]);
        }
        catch (IOException)
        {
            fill.SetLength(Math.Max(0, fill.Length / Page - room) * Page);
        }
    }

    private static bool TryMake(string path)
    {
        try
        {
            File.Create(path).Dispose();
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
