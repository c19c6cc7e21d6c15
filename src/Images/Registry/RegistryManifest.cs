namespace Isolation.Images;

/// <summary>A manifest or an index as a registry has it. Immutable.</summary>
/// <param name="Descriptor">What it is, checked against its bytes.</param>
/// <param name="Content">Its bytes, which the digest is of.</param>
public sealed record RegistryManifest(Descriptor Descriptor, ReadOnlyMemory<byte> Content);
