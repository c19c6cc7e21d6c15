namespace Isolation.Images;

/// <summary>What is known of a layer before it is read; what is null is not checked.</summary>
internal sealed record LayerExpectation(Digest? Blob = null, long? Size = null, string? MediaType = null, Digest? DiffId = null);

/// <summary>What a layer has turned out to be.</summary>
/// <param name="Blob">Of the bytes as they came.</param>
/// <param name="BlobSize">How many came.</param>
/// <param name="DiffId">Of the archive.</param>
/// <param name="TarSize">Of the archive, in bytes.</param>
/// <param name="Entries">How many files of any kind.</param>
/// <param name="Undescribed">The directories that no entry was of (<see cref="TreeWriter.Undescribed"/>).</param>
internal sealed record UnpackedLayer(Digest Blob, long BlobSize, Digest DiffId, long TarSize, long Entries, IReadOnlyList<byte[]> Undescribed);
