using Isolation.Nested;

namespace Isolation.Images.Tests;

/// <summary>A directory with a store, and archives beside it.</summary>
internal sealed class StoreDirectory : IDisposable
{
    private readonly string _path = Directory.CreateTempSubdirectory("isolation-store-").FullName;

    internal string Store => Path.Join(_path, "store");

    internal string Old => StoreImages.MakeOld(_path);

    internal string New => StoreImages.MakeNew(_path);

    internal string this[string name] => Path.Join(Store, name);

    internal static CancellationToken Token => TestContext.Current.CancellationToken;

    internal Task<ImageStore> OpenAsync() => ImageStore.OpenAsync(Store, cancellationToken: Token);

    /// <summary>With both images, unpacked.</summary>
    internal async Task<(ImageStore Store, Image Old, Image New)> FilledAsync()
    {
        ImageStore store = await OpenAsync();
        Image old = (await store.LoadAsync(Old, cancellationToken: Token)).Single(), @new = (await store.LoadAsync(New, cancellationToken: Token)).Single();
        (await store.UnpackAsync(old, Token)).Release();
        (await store.UnpackAsync(@new, Token)).Release();
        return (store, old, @new);
    }

    internal string BlobPath(Digest digest) => this[$"blobs/sha256/{digest.Encoded}"];

    internal string LayerPath(ImageLayer layer) => this[$"isolation/layers/{LayerFiles.NameOf(layer.DiffId)}"];

    /// <summary>Every file and directory, with its content.</summary>
    internal string[] Snapshot() => [.. Directory.EnumerateFileSystemEntries(Store, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(path => new FileInfo(path) is { Exists: true, Length: > 0 } ? $"{path} {Convert.ToHexString(File.ReadAllBytes(path))}" : path)];

    public void Dispose() => Directory.Delete(_path, recursive: true);
}
