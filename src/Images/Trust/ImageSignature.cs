namespace Isolation.Images;

/// <summary>A signature of an image, as its registry has it. Who made it, only its verification tells. Immutable.</summary>
public sealed record ImageSignature
{
    /// <summary>Whose layout it has.</summary>
    public required SignatureKind Kind { get; init; }

    /// <summary>Of the manifest that it is in.</summary>
    public required Descriptor Manifest { get; init; }

    /// <summary>Of the blob; its annotations have what the layout puts there.</summary>
    public required Descriptor Blob { get; init; }

    /// <summary>The blob, checked against its digest: what was signed where it is cosign's, an envelope (JWS, COSE) where it is notation's, a bundle where it is Sigstore's.</summary>
    public required ReadOnlyMemory<byte> Payload { get; init; }

    /// <summary>Of the payload, where it is beside it: cosign's.</summary>
    public ReadOnlyMemory<byte>? Signature { get; init; }

    /// <summary>In PEM, where one is there: of a keyless signature of cosign's.</summary>
    public string? Certificate { get; init; }
}

/// <summary>Whose layout a signature has.</summary>
public enum SignatureKind
{
    /// <summary>cosign's: a payload, and its signature as an annotation.</summary>
    Cosign,

    /// <summary>notation's (Notary Project): an envelope.</summary>
    Notation,

    /// <summary>Sigstore's bundle.</summary>
    SigstoreBundle,
}
