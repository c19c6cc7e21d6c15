using System.Security.Cryptography;
using System.Text.Json;

namespace Isolation.Images;

/// <summary>Decides whether an image may come in.</summary>
/// <param name="request">Which, and who has signed it.</param>
/// <param name="cancellationToken">Ends it.</param>
public delegate ValueTask<TrustVerdict> ImageTrustPolicy(ImageTrustRequest request, CancellationToken cancellationToken);

/// <summary>Whether an image may come in.</summary>
/// <param name="IsTrusted">Whether it may.</param>
/// <param name="Reason">Why not.</param>
public readonly record struct TrustVerdict(bool IsTrusted, string? Reason)
{
    /// <summary>It may.</summary>
    public static TrustVerdict Trusted { get; } = new(true, null);

    /// <summary>It may not.</summary>
    public static TrustVerdict Refused(string reason) => new(false, reason);
}

/// <summary>An image that is to come in.</summary>
public sealed class ImageTrustRequest
{
    private readonly RegistryClient _client;

    internal ImageTrustRequest(RegistryClient client, ImageReference reference, Descriptor manifest) => (_client, Reference, Manifest) = (client, reference, manifest);

    /// <summary>By which name.</summary>
    public ImageReference Reference { get; }

    /// <summary>What the name leads to: a manifest, or an index.</summary>
    public Descriptor Manifest { get; }

    /// <summary>Who has signed it, as far as the registry tells: by cosign's tag, and by referrers of cosign's and notation's kinds. Nothing of it is verified yet.</summary>
    /// <exception cref="ImageException">The registry does not answer, or what is there cannot be read.</exception>
    public Task<IReadOnlyList<ImageSignature>> ListSignaturesAsync(CancellationToken cancellationToken = default) => SignatureFinder.FindAsync(_client, Reference.WithDigest(Manifest.Digest), cancellationToken);
}

/// <summary>Ready decisions.</summary>
public static class ImageTrust
{
    private const string CosignType = "cosign container image signature";

    /// <summary>
    /// An image that the owner of a key has signed with <c>cosign sign --key</c>: one of its signatures must be of this key, and name the digest of what
    /// the name leads to. Transparency logs are not asked.
    /// </summary>
    /// <param name="publicKeyPem">As <c>cosign generate-key-pair</c> writes it: ECDSA, or RSA with PKCS #1 padding; with SHA-256.</param>
    /// <exception cref="ArgumentException">It is no such key.</exception>
    public static ImageTrustPolicy CosignKey(string publicKeyPem)
    {
        ArgumentException.ThrowIfNullOrEmpty(publicKeyPem);
        Func<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>, bool> verify = Verifier(publicKeyPem);
        return async (request, cancellationToken) =>
        {
            ImageSignature[] signatures = [.. (await request.ListSignaturesAsync(cancellationToken).ConfigureAwait(false)).Where(signature => signature.Kind == SignatureKind.Cosign)];
            if (signatures is []) return TrustVerdict.Refused("it has no signature of cosign's");
            ImageSignature[] ours = [.. signatures.Where(signature => signature.Signature is { } bytes && verify(signature.Payload, bytes))];
            if (ours is []) return TrustVerdict.Refused($"none of its {signatures.Length} signatures is of the key");
            return ours.Any(signature => DigestOf(signature.Payload) == request.Manifest.Digest.ToString()) ? TrustVerdict.Trusted : TrustVerdict.Refused("what the key has signed is another image");
        };
    }

    /// <summary>The digest that a payload of cosign's says (github.com/sigstore/cosign, specs/SIGNATURE_SPEC.md); null where it is none.</summary>
    private static string? DigestOf(ReadOnlyMemory<byte> payload)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(payload);
            JsonElement critical = document.RootElement.GetProperty("critical");
            return critical.GetProperty("type").GetString() == CosignType ? critical.GetProperty("image").GetProperty("docker-manifest-digest").GetString() : null;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            return null;
        }
    }

    private static Func<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>, bool> Verifier(string publicKeyPem)
    {
        foreach (Func<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>, bool> verify in (Func<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>, bool>[])[VerifyEcdsa, VerifyRsa])
        {
            try
            {
                verify(default, default); // also tells whether the key is of that kind
                return verify;
            }
            catch (Exception exception) when (exception is CryptographicException or ArgumentException)
            {
                // Perhaps of the other.
            }
        }

        throw new ArgumentException("This is no public key of ECDSA or RSA in PEM.", nameof(publicKeyPem));

        bool VerifyEcdsa(ReadOnlyMemory<byte> payload, ReadOnlyMemory<byte> signature)
        {
            using ECDsa key = ECDsa.Create(); // one is for one thread
            key.ImportFromPem(publicKeyPem);
            return key.VerifyData(payload.Span, signature.Span, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        }

        bool VerifyRsa(ReadOnlyMemory<byte> payload, ReadOnlyMemory<byte> signature)
        {
            using RSA key = RSA.Create();
            key.ImportFromPem(publicKeyPem);
            return key.VerifyData(payload.Span, signature.Span, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        }
    }
}
