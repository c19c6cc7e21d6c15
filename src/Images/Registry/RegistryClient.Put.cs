namespace Isolation.Images;

public sealed partial class RegistryClient
{
    /// <summary>Puts a manifest or an index under a tag, or under its digest. What it names must be there.</summary>
    /// <param name="reference">With a tag, or with the digest of the content; without both, <c>latest</c> is meant.</param>
    /// <param name="mediaType">What the content is.</param>
    /// <param name="content">Its bytes; 4 MiB at most.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>What it is; in a registry that does not list referrers, also by the tag of its subject where it has one.</returns>
    /// <exception cref="ImageException">The content is not of that type or digest, something that it names is missing, or the registry refuses or does not answer.</exception>
    public async Task<Descriptor> PutManifestAsync(ImageReference reference, string mediaType, ReadOnlyMemory<byte> content, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentException.ThrowIfNullOrEmpty(mediaType);
        RegistryEndpoint endpoint = EndpointOf(reference.Domain);
        if (reference.Digest is { } expected) Checked(expected, content.Span, "What is to be put");
        (Descriptor? subject, Descriptor referrer) = Read(mediaType, content.Span);
        bool isListed = await PutAsync(endpoint, reference.WithDefaultTag(), mediaType, content, cancellationToken).ConfigureAwait(false);
        if (subject is not null && !isListed) await AddReferrerAsync(endpoint, reference, subject, referrer, cancellationToken).ConfigureAwait(false);
        return new() { MediaType = mediaType, Digest = reference.Digest ?? Digest.Of(content.Span), Size = content.Length };
    }

    /// <summary>Puts a blob into a repository; not where it is there.</summary>
    /// <param name="repository">Tag and digest play no part.</param>
    /// <param name="blob">What it is, and its size in bytes.</param>
    /// <param name="open">Opens it at its beginning, again where it must be sent again; what it opens is disposed.</param>
    /// <param name="chunkSize">How much goes in one request, in bytes; 0 for all of it.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Whether it was sent.</returns>
    /// <exception cref="ImageException">It is not what it should be, or the registry refuses or does not answer.</exception>
    public Task<bool> PutBlobAsync(ImageReference repository, Descriptor blob, Func<CancellationToken, ValueTask<Stream>> open, long chunkSize = 0, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(repository);
        ArgumentNullException.ThrowIfNull(blob);
        ArgumentNullException.ThrowIfNull(open);
        ArgumentOutOfRangeException.ThrowIfNegative(chunkSize);
        return new BlobUpload(this, repository, blob, open, new(chunkSize)).RunAsync(cancellationToken);
    }

    /// <summary>Before the same is tried once more.</summary>
    internal Task PauseAsync(int failures, CancellationToken cancellationToken) =>
        Task.Delay(TimeSpan.FromTicks(Math.Min(Options.LongestRetryDelay.Ticks, Options.RetryDelay.Ticks << Math.Min(failures - 1, 16))), cancellationToken);

    private static (Descriptor? Subject, Descriptor Referrer) Read(string mediaType, ReadOnlySpan<byte> content)
    {
        try
        {
            Descriptor descriptor = new() { MediaType = mediaType, Digest = Digest.Of(content), Size = content.Length };
            if (MediaTypes.IsIndex(mediaType))
            {
                ImageIndex index = ImageJson.ReadIndex(content, mediaType);
                return (index.Subject, descriptor with { ArtifactType = index.ArtifactType, Annotations = index.Annotations });
            }

            if (!MediaTypes.IsManifest(mediaType)) throw new FormatException($"'{mediaType}' is the type of neither.");
            Manifest manifest = ImageJson.ReadManifest(content, mediaType);
            return (manifest.Subject, descriptor with { ArtifactType = manifest.ArtifactType ?? manifest.Config.MediaType, Annotations = manifest.Annotations });
        }
        catch (FormatException exception)
        {
            throw new ImageException(ImageErrorReason.InvalidContent, "What is to be put is neither a manifest nor an index", exception);
        }
    }

    /// <returns>Whether the registry lists it as a referrer of its subject.</returns>
    private async Task<bool> PutAsync(RegistryEndpoint endpoint, ImageReference reference, string mediaType, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        HttpResponseMessage response = await _connection.SendAsync(endpoint, PushScope(endpoint, reference), reference.Path, () =>
        {
            ReadOnlyMemoryContent body = new(content);
            body.Headers.ContentType = new(mediaType);
            return new(HttpMethod.Put, endpoint.At($"{endpoint.PathOf(reference.Path)}/manifests/{SelectorOf(reference)}")) { Content = body };
        }, cancellationToken).ConfigureAwait(false);
        if (!response.IsSuccessStatusCode) throw await RegistryAnswers.RefusalAsync(response, $"{reference} cannot be put", cancellationToken).ConfigureAwait(false);
        using (response) return response.Headers.Contains("OCI-Subject");
    }
}
