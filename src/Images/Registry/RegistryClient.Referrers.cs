using System.Collections.Immutable;
using System.Net;

namespace Isolation.Images;

public sealed partial class RegistryClient
{
    /// <summary>What is said of an image by others: signatures, lists of what is in it (distribution-spec 1.1, "Listing Referrers"). Where the registry does not list them, the tag that clients then keep is read ("Referrers Tag Schema").</summary>
    /// <param name="reference">With the digest of the manifest that they name as their subject.</param>
    /// <param name="artifactType">Of which kind; null for all.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="ArgumentException">The reference has no digest.</exception>
    /// <exception cref="ImageException">The registry does not answer, or refuses.</exception>
    public Task<IReadOnlyList<Descriptor>> ListReferrersAsync(ImageReference reference, string? artifactType = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(reference);
        if (reference.Digest is null) throw new ArgumentException($"'{reference}' has no digest: referrers name what they are said of by its digest.", nameof(reference));
        return ReadAsync<IReadOnlyList<Descriptor>>(reference, async endpoint =>
        {
            IEnumerable<Descriptor> all = await ReferrersAsync(endpoint, reference, cancellationToken).ConfigureAwait(false);
            return [.. all.Where(each => artifactType is null || each.ArtifactType == artifactType)];
        }, cancellationToken);
    }

    private static ImageReference ReferrersTag(ImageReference reference) => new(reference.Domain, reference.Path, $"{reference.Digest!.Algorithm}-{reference.Digest.Encoded[..Math.Min(64, reference.Digest.Encoded.Length)]}", null);

    private async Task<IReadOnlyList<Descriptor>> ReferrersAsync(RegistryEndpoint endpoint, ImageReference reference, CancellationToken cancellationToken)
    {
        List<Descriptor> found = [];
        HashSet<string> seen = [];
        for (Uri? page = endpoint.At($"{endpoint.PathOf(reference.Path)}/referrers/{reference.Digest}"); page is not null;)
        {
            Uri at = page;
            HttpResponseMessage response = await _connection.SendAsync(endpoint, PullScope(endpoint, reference), reference.Path, () => Accepting(at), cancellationToken).ConfigureAwait(false);
            if (response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed or HttpStatusCode.BadRequest || (response.IsSuccessStatusCode && !MediaTypes.IsIndex(response.Content.Headers.ContentType?.MediaType)))
            {
                response.Dispose();
                return await TaggedReferrersAsync(endpoint, reference, cancellationToken).ConfigureAwait(false);
            }

            if (!response.IsSuccessStatusCode) throw await RegistryAnswers.RefusalAsync(response, $"What is said of {reference} cannot be listed", cancellationToken).ConfigureAwait(false);
            using (response)
            {
                found.AddRange(ReadReferrers(await BodyAsync(endpoint, response, ImageJson.Longest, cancellationToken).ConfigureAwait(false), reference));
                page = NextOf(response, at) is { } next && RegistryConnection.IsSameOrigin(at, next) && seen.Add(next.ToString()) ? next : null;
            }
        }

        return found;

        static HttpRequestMessage Accepting(Uri at)
        {
            HttpRequestMessage request = new(HttpMethod.Get, at);
            request.Headers.Accept.Add(new(MediaTypes.Index));
            return request;
        }
    }

    private async Task<IReadOnlyList<Descriptor>> TaggedReferrersAsync(RegistryEndpoint endpoint, ImageReference reference, CancellationToken cancellationToken)
    {
        ImageReference tag = ReferrersTag(reference);
        if (await HeadAsync(endpoint, tag, cancellationToken).ConfigureAwait(false) is null) return [];
        return ReadReferrers((await GetAsync(endpoint, tag, cancellationToken).ConfigureAwait(false)).Content.Span, reference);
    }

    private static ImmutableArray<Descriptor> ReadReferrers(ReadOnlySpan<byte> content, ImageReference reference)
    {
        try
        {
            return ImageJson.ReadIndex(content).Manifests;
        }
        catch (FormatException exception)
        {
            throw new ImageException(ImageErrorReason.RegistryFailed, $"The list of what is said of {reference} cannot be read", exception);
        }
    }

    /// <summary>Tells of a manifest that was put by the tag of its subject, as the specification asks of clients where the registry does not.</summary>
    private async Task AddReferrerAsync(RegistryEndpoint endpoint, ImageReference repository, Descriptor subject, Descriptor referrer, CancellationToken cancellationToken)
    {
        ImageReference about = repository.WithDigest(subject.Digest);
        IReadOnlyList<Descriptor> there = await TaggedReferrersAsync(endpoint, about, cancellationToken).ConfigureAwait(false);
        if (there.Any(each => each.Digest == referrer.Digest)) return;
        ImageIndex index = new() { SchemaVersion = 2, MediaType = MediaTypes.Index, Manifests = [.. there, referrer] };
        await PutAsync(endpoint, ReferrersTag(about), MediaTypes.Index, ImageJson.ToUtf8(index, ImageModel.Default.ImageIndex), cancellationToken).ConfigureAwait(false);
    }
}
