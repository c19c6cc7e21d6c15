using System.Collections.Immutable;

namespace Isolation.Images;

/// <summary>Looks for signatures of an image in its own repository.</summary>
internal static class SignatureFinder
{
    private const string CosignPayload = "application/vnd.dev.cosign.simplesigning.v1+json", CosignSignature = "dev.cosignproject.cosign/signature", CosignCertificate = "dev.sigstore.cosign/certificate";
    private const string CosignArtifact = "application/vnd.dev.cosign.artifact.sig.v1+json", NotationArtifact = "application/vnd.cncf.notary.signature", BundlePrefix = "application/vnd.dev.sigstore.bundle";
    private const int MostManifests = 64, LongestPayload = 1 << 20;

    /// <param name="client">Asks.</param>
    /// <param name="subject">What is signed, by its digest.</param>
    /// <param name="cancellationToken">Ends it.</param>
    internal static async Task<IReadOnlyList<ImageSignature>> FindAsync(RegistryClient client, ImageReference subject, CancellationToken cancellationToken)
    {
        List<ImageSignature> found = [];
        ImageReference tag = new(subject.Domain, subject.Path, $"{subject.Digest!.Algorithm}-{subject.Digest.Encoded}.sig", null);
        if (await client.FindManifestAsync(tag, cancellationToken).ConfigureAwait(false) is not null) await AddAsync(tag, SignatureKind.Cosign).ConfigureAwait(false);
        foreach (Descriptor referrer in (await client.ListReferrersAsync(subject, cancellationToken: cancellationToken).ConfigureAwait(false)).Take(MostManifests))
        {
            SignatureKind? kind = referrer.ArtifactType switch
            {
                CosignArtifact or CosignPayload => SignatureKind.Cosign,
                NotationArtifact => SignatureKind.Notation,
                { } type when type.StartsWith(BundlePrefix, StringComparison.Ordinal) => SignatureKind.SigstoreBundle,
                _ => null,
            };
            if (kind is not null) await AddAsync(subject.WithDigest(referrer.Digest), kind.Value).ConfigureAwait(false);
        }

        return found;

        async Task AddAsync(ImageReference reference, SignatureKind kind)
        {
            RegistryManifest got = await client.GetManifestAsync(reference, cancellationToken).ConfigureAwait(false);
            foreach (Descriptor blob in LayersOf(got).Where(blob => kind != SignatureKind.Cosign || blob.MediaType == CosignPayload).Take(MostManifests))
                found.Add(await ReadAsync(client, subject, got.Descriptor, blob, kind, cancellationToken).ConfigureAwait(false));
        }
    }

    private static ImmutableArray<Descriptor> LayersOf(RegistryManifest manifest)
    {
        try
        {
            return ImageJson.ReadManifest(manifest.Content.Span, manifest.Descriptor.MediaType).Layers;
        }
        catch (FormatException exception)
        {
            throw new ImageException(ImageErrorReason.InvalidContent, $"The signature {manifest.Descriptor.Digest} cannot be read", exception);
        }
    }

    private static async Task<ImageSignature> ReadAsync(RegistryClient client, ImageReference repository, Descriptor manifest, Descriptor blob, SignatureKind kind, CancellationToken cancellationToken)
    {
        if (blob.Size > LongestPayload) throw new ImageException(ImageErrorReason.TooLarge, $"The signature {blob.Digest} has {blob.Size} bytes, and {LongestPayload} are read at most");
        Stream stream = await client.OpenBlobAsync(repository, blob, cancellationToken).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            using MemoryStream payload = new();
            await stream.CopyToAsync(payload, cancellationToken).ConfigureAwait(false);
            byte[] signature = new byte[4096];
            bool isSigned = Convert.TryFromBase64String(blob.Annotations?.GetValueOrDefault(CosignSignature) ?? "", signature, out int length) && length > 0;
            return new()
            {
                Kind = kind, Manifest = manifest, Blob = blob, Payload = payload.ToArray(),
                Signature = isSigned ? signature.AsMemory(0, length) : null,
                Certificate = blob.Annotations?.GetValueOrDefault(CosignCertificate),
            };
        }
    }
}
