namespace Isolation.Images;

/// <summary>What a collection has removed.</summary>
/// <param name="Blobs">How many blobs.</param>
/// <param name="Layers">How many unpacked layers.</param>
/// <param name="Bytes">Of the blobs.</param>
public readonly record struct CollectionResult(int Blobs, int Layers, long Bytes);

/// <summary>What a store takes on disk.</summary>
/// <param name="Images">How many names there are.</param>
/// <param name="Blobs">How many blobs.</param>
/// <param name="BlobBytes">Of them.</param>
/// <param name="Layers">How many unpacked layers.</param>
public readonly record struct StoreUsage(int Images, int Blobs, long BlobBytes, int Layers);

/// <summary>Something in a store that is not what was put there.</summary>
/// <param name="What">A blob or an unpacked layer, by its digest or diff ID.</param>
/// <param name="IsLayer">Whether it is an unpacked layer.</param>
/// <param name="Problem">In words: what was got, and what was wanted.</param>
/// <param name="Images">Whose it is, by name or digest.</param>
public sealed record StoreDamage(Digest What, bool IsLayer, string Problem, IReadOnlyList<string> Images);
