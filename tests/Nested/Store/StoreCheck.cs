using Isolation.Images;

namespace Isolation.Nested;

/// <summary>Looks at a store in which something was cut short: nothing half-visible, nothing lost, nothing leaked.</summary>
internal static class StoreCheck
{
    /// <returns>What is wrong, or <c>nothing</c>.</returns>
    internal static async Task<string> AsWasAsync(StoreOperation operation, string path, bool isDone)
    {
        try
        {
            ImageStore store = await ImageStore.OpenAsync(path);
            string[] names = await NamesAsync(store);
            string[][] allowed = isDone ? [operation.States[^1]] : operation.States;
            if (!allowed.Any(state => state.SequenceEqual(names))) return $"the names are {string.Join(", ", names)}";
            string found = await SoundAsync(path);
            if (found != "nothing") return found;
            await operation.RunAsync(path); // and it can be done now
            names = await NamesAsync(store);
            return names.SequenceEqual(operation.States[^1]) ? await SoundAsync(path) : $"done again, the names are {string.Join(", ", names)}";
        }
        catch (Exception exception) when (exception is ImageException or IOException)
        {
            return exception.ToString().ReplaceLineEndings(" ");
        }
    }

    /// <summary>Whatever names there are: all of it is whole, can be unpacked, and a collection leaves just what they lead to.</summary>
    internal static async Task<string> SoundAsync(string path)
    {
        ImageStore store = await ImageStore.OpenAsync(path);
        string left = Left(store.Path);
        if (left.Length > 0) return "left behind: " + left;
        string damage = await DamageAsync(store);
        if (damage.Length > 0) return damage;
        IReadOnlyList<Image> images = await store.ListAsync();
        foreach (Image image in images) await StoreOperation.UnpackAsync(store, image.Reference!.ToString());
        damage = await DamageAsync(store);
        if (damage.Length > 0) return damage;
        await store.CollectAsync();
        HashSet<string> blobs = [.. images.SelectMany(image => (Descriptor[])[image.Descriptor, image.Manifest.Config, .. image.Manifest.Layers]).Select(part => part.Digest.Encoded)];
        string[] more = [.. Directory.GetFiles(Path.Join(store.Path, "blobs"), "*", SearchOption.AllDirectories).Select(file => Path.GetFileName(file)).Except(blobs)];
        if (more.Length > 0) return $"blobs that nothing needs: {string.Join(", ", more)}";
        if (Directory.Exists(Path.Join(store.Path, "isolation/partial")) && Directory.GetFiles(Path.Join(store.Path, "isolation/partial")) is { Length: > 0 } partial) return $"parts of blobs that nobody fetches: {string.Join(", ", partial)}";
        int layers = Directory.GetDirectories(Path.Join(store.Path, "isolation/layers")).Length, wanted = images.SelectMany(image => image.Layers).Select(layer => layer.DiffId).Distinct().Count();
        return layers == wanted ? "nothing" : $"{layers} unpacked layers, and {wanted} are needed";
    }

    /// <summary>What is no part of a store at rest: unfinished files, and leases that nobody holds.</summary>
    internal static string Left(string store)
    {
        LetGo();
        return string.Join(", ", new[] { "temporary", "leases" }.SelectMany(name => Directory.GetFileSystemEntries(Path.Join(store, "isolation", name))).Where(path => !IsHeld(path)));
    }

    /// <summary>What this process references no more lets go of its leases.</summary>
    internal static void LetGo()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }

    internal static async Task<string[]> NamesAsync(ImageStore store) => [.. (await store.ListAsync()).Select(image => image.Reference!.ToString()).Order(StringComparer.Ordinal)];

    private static bool IsHeld(string path)
    {
        if (Directory.Exists(path)) return false;
        using Linux.FileDescriptor file = Linux.FileDescriptor.Open(path, Linux.Abi.O_RDWR);
        return !Linux.FileLock.TryTake(file);
    }

    private static async Task<string> DamageAsync(ImageStore store) => string.Join("; ", (await store.VerifyAsync()).Select(damage => $"{damage.What}: {damage.Problem}"));
}
