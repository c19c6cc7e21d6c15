using Isolation.Images;
using Isolation.Linux;

namespace Isolation.Nested;

/// <summary>One thing that is done with a store, what must be there before it, and what may be there when it was cut short.</summary>
/// <param name="name">One of <see cref="Names"/>.</param>
/// <param name="sources">A directory with the archives, which are made there if they are not.</param>
internal sealed class StoreOperation(string name, string sources)
{
    private const string Other = "localhost/store/other:1", Changed = "localhost/store/changed:1", Pulled = "registry.invalid/store/new:1";

    internal static readonly string[] Names = ["open", "load", "unpack", "commit", "collect", "name", "pull"];
    private readonly FileDescriptor _upper = Upper(sources);
    private readonly string _old = StoreImages.MakeOld(sources), _new = StoreImages.MakeNew(sources);

    internal string Name => name;

    /// <summary>The names that may be there, from the one before to the one after.</summary>
    internal string[][] States => name switch
    {
        "open" => [[]],
        "load" => [[StoreImages.Old], [StoreImages.New, StoreImages.Old]],
        "unpack" => [[StoreImages.New, StoreImages.Old]],
        "commit" => [[StoreImages.Old], [Changed, StoreImages.Old]],
        "collect" => [[StoreImages.Old]],
        "pull" => [[StoreImages.Old], [StoreImages.Old, Pulled]],
        _ => [[StoreImages.Old], [StoreImages.Old, Other], [Other]],
    };

    internal async Task PrepareAsync(string store)
    {
        if (name == "open") return;
        ImageStore prepared = await ImageStore.OpenAsync(store);
        await prepared.LoadAsync(_old);
        if (name == "pull" && !Directory.Exists(Layout)) await (await ImageStore.OpenAsync(Layout)).LoadAsync(_new);
        if (name is "unpack" or "collect") await prepared.LoadAsync(_new);
        if (name == "collect")
        {
            await UnpackAsync(prepared, StoreImages.New);
            await prepared.RemoveAsync(ImageReference.Parse(StoreImages.New));
        }
    }

    internal async Task RunAsync(string path)
    {
        ImageStore store = await ImageStore.OpenAsync(path, new() { Parallelism = 1 });
        switch (name)
        {
            case "load":
                await store.LoadAsync(_new);
                break;
            case "unpack":
                await UnpackAsync(store, StoreImages.New);
                break;
            case "commit":
                await CommitAsync(store, StoreImages.Old, Changed, _upper);
                break;
            case "collect":
                await store.CollectAsync();
                break;
            case "pull":
                await PullAsync(store);
                break;
            case "name":
            {
                Image image = await store.FindAsync(ImageReference.Parse(StoreImages.Old)) ?? await store.GetAsync(ImageReference.Parse(Other));
                await store.TagAsync(image, ImageReference.Parse(Other));
                await store.RemoveAsync(ImageReference.Parse(StoreImages.Old));
                break;
            }
        }
    }

    private string Layout => Path.Join(sources, "layout");

    /// <summary>From a registry of this process's own, by way of a mirror: its port is another each time.</summary>
    private async Task PullAsync(ImageStore store)
    {
        await using LayoutServer server = new(Layout);
        ImageReference reference = ImageReference.Parse(Pulled);
        using RegistryClient client = new(new() { Retries = 0, Registries = System.Collections.Immutable.ImmutableDictionary<string, RegistrySettings>.Empty.Add(reference.Domain, new() { Mirrors = [new(server.Address)] }), Credentials = (_, _) => ValueTask.FromResult<RegistryCredential?>(null) });
        await store.PullAsync(reference, new() { Client = client, Parallelism = 1 });
    }

    internal static async Task<int> UnpackAsync(ImageStore store, string reference)
    {
        UnpackedImage unpacked = await store.UnpackAsync(await store.GetAsync(ImageReference.Parse(reference)));
        int files = unpacked.Layers.Sum(layer => Directory.GetFileSystemEntries(layer, "*", SearchOption.AllDirectories).Length);
        unpacked.Release();
        return files;
    }

    internal static async Task CommitAsync(ImageStore store, string below, string reference, FileDescriptor upper) =>
        await store.CommitAsync(await store.GetAsync(ImageReference.Parse(below)), upper, new(), new() { Reference = ImageReference.Parse(reference), Created = DateTimeOffset.UnixEpoch }, CancellationToken.None);

    /// <summary>What a container has written, say.</summary>
    internal static FileDescriptor Upper(string directory)
    {
        string upper = Directory.CreateDirectory(Path.Join(directory, "upper")).FullName, file = Path.Join(upper, "committed");
        if (!File.Exists(file)) File.WriteAllText(file, new string('c', 10_000));
        return FileDescriptor.Open(upper, Abi.O_RDONLY | TargetAbi.Current.O_DIRECTORY);
    }
}
