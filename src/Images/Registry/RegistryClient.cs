using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Isolation.Images;

/// <summary>
/// Talks to registries (OCI distribution-spec 1.1, and Docker's). It keeps connections and tokens: one for a program is
/// enough, and it is safe from any thread. Images are pulled and pushed by <see cref="ImageStore"/>; this is for what lies below.
/// </summary>
public sealed partial class RegistryClient : IDisposable
{
    private const string CatalogScope = "registry:catalog:*";
    private static readonly Lazy<RegistryClient> Default = new(() => new());
    private static readonly string[] ManifestTypes = [MediaTypes.Manifest, MediaTypes.Index, MediaTypes.DockerManifest, MediaTypes.DockerManifestList];
    private readonly ConcurrentDictionary<string, RegistryEndpoint> _endpoints = new(StringComparer.Ordinal);
    private readonly RegistryConnection _connection;

    /// <param name="options">How registries are asked.</param>
    /// <exception cref="ArgumentException">A number is negative, a time not positive, or a mirror no address.</exception>
    public RegistryClient(RegistryOptions? options = null)
    {
        Options = (options ?? new()).Checked();
        _connection = new(Options);
    }

    /// <summary>How registries are asked.</summary>
    public RegistryOptions Options { get; }

    /// <summary>The one of this process that pulls and pushes where none is given. Never disposed.</summary>
    internal static RegistryClient Shared => Default.Value;

    internal RegistryConnection Connection => _connection;

    /// <summary>Closes its connections; what still transfers, fails.</summary>
    public void Dispose()
    {
        foreach (RegistryEndpoint endpoint in _endpoints.Values) endpoint.Dispose();
    }

    /// <summary>Whether a registry answers and takes the credentials that it asks for.</summary>
    /// <param name="registry">Its host, with its port where that is not the usual one.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="ImageException">It does not; the reason says which of both.</exception>
    public async Task CheckAsync(string registry, CancellationToken cancellationToken = default)
    {
        RegistryEndpoint endpoint = EndpointOf(registry);
        using HttpResponseMessage response = await _connection.SendAsync(endpoint, "", "", () => new(HttpMethod.Get, endpoint.At("")), cancellationToken).ConfigureAwait(false);
        if (!response.IsSuccessStatusCode) throw await RegistryAnswers.RefusalAsync(response, $"{registry} is no registry that can be used", cancellationToken).ConfigureAwait(false);
    }

    /// <summary>What a name leads to at this moment, by one request that asks for no content; null where there is none.</summary>
    /// <param name="reference">Without tag and digest, <c>latest</c> is meant.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="ImageException">The registry does not answer, or refuses.</exception>
    public Task<Descriptor?> FindManifestAsync(ImageReference reference, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ImageReference wanted = reference.WithDefaultTag();
        return ReadAsync(wanted, endpoint => HeadAsync(endpoint, wanted, cancellationToken), cancellationToken);
    }

    /// <summary>A manifest or an index, checked against its digest, and its type against what it says of itself.</summary>
    /// <exception cref="ImageException">There is none, it is not what it should be, has more than 4 MiB, or the registry does not answer.</exception>
    /// <inheritdoc cref="FindManifestAsync"/>
    public Task<RegistryManifest> GetManifestAsync(ImageReference reference, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ImageReference wanted = reference.WithDefaultTag();
        return ReadAsync(wanted, endpoint => GetAsync(endpoint, wanted, cancellationToken), cancellationToken);
    }

    /// <summary>The content of a blob as it comes. What breaks off is resumed; at the end it throws where it was not what its digest says.</summary>
    /// <param name="repository">Whose; tag and digest play no part.</param>
    /// <param name="blob">Its digest, and its size in bytes.</param>
    /// <param name="cancellationToken">Ends the wait for its beginning.</param>
    /// <returns>The caller's, read from one thread at a time.</returns>
    /// <exception cref="ImageException">There is none, or the registry does not answer.</exception>
    public async Task<Stream> OpenBlobAsync(ImageReference repository, Descriptor blob, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(repository);
        ArgumentNullException.ThrowIfNull(blob);
        RefuseUnusable(blob);
        BlobDownload download = new(this, repository, blob, null);
        try
        {
            await download.BeginAsync(cancellationToken).ConfigureAwait(false);
            return download;
        }
        catch
        {
            await download.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>The repositories of a registry, page by page. Many registries list none, or only to some.</summary>
    /// <exception cref="ImageException">It does not list them, or does not answer.</exception>
    /// <inheritdoc cref="CheckAsync"/>
    public IAsyncEnumerable<string> ListRepositoriesAsync(string registry, CancellationToken cancellationToken = default)
    {
        RegistryEndpoint endpoint = EndpointOf(registry);
        return PagesAsync(endpoint, CatalogScope, "", "_catalog?n=1000", "repositories", $"The repositories of {registry} cannot be listed", cancellationToken);
    }

    /// <summary>The tags of a repository, page by page.</summary>
    /// <param name="repository">Tag and digest play no part.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="ImageException">There is no such repository, or the registry does not answer.</exception>
    public IAsyncEnumerable<string> ListTagsAsync(ImageReference repository, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(repository);
        RegistryEndpoint endpoint = EndpointOf(repository.Domain);
        return PagesAsync(endpoint, PullScope(endpoint, repository), repository.Path, $"{repository.Path}/tags/list?n=1000", "tags", $"The tags of {repository.Name} cannot be listed", cancellationToken);
    }

    /// <summary>Takes a tag or a manifest away. A registry that cannot delete by tag can perhaps by digest, which takes all its tags with it.</summary>
    /// <exception cref="ImageException">There is none, or the registry does not allow it (<see cref="ImageErrorReason.NotSupported"/>).</exception>
    /// <inheritdoc cref="FindManifestAsync"/>
    public Task DeleteAsync(ImageReference reference, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ImageReference wanted = reference.WithDefaultTag();
        return DeleteAsync(reference, $"manifests/{SelectorOf(wanted)}", $"{wanted} cannot be deleted", cancellationToken);
    }

    /// <summary>Takes a blob away.</summary>
    /// <inheritdoc cref="DeleteAsync(ImageReference, CancellationToken)"/>
    public Task DeleteBlobAsync(ImageReference repository, Digest digest, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(repository);
        ArgumentNullException.ThrowIfNull(digest);
        return DeleteAsync(repository, $"blobs/{digest}", $"The blob {digest} of {repository.Name} cannot be deleted", cancellationToken);
    }

    internal static string PullScope(RegistryEndpoint endpoint, ImageReference repository) => $"repository:{endpoint.PathOf(repository.Path)}:pull";

    internal static string PushScope(RegistryEndpoint endpoint, ImageReference repository) => $"repository:{endpoint.PathOf(repository.Path)}:pull,push";

    internal static string SelectorOf(ImageReference reference) => reference.Digest?.ToString() ?? reference.Tag!;

    internal static void RefuseUnusable(Descriptor descriptor)
    {
        if (descriptor.Size < 0) throw new ImageException(ImageErrorReason.InvalidContent, $"The descriptor of {descriptor.Digest} says {descriptor.Size} bytes");
        if (!descriptor.Digest.CanVerify) throw new ImageException(ImageErrorReason.NotSupported, $"The blob {descriptor.Digest} cannot be checked: the algorithms are sha256 and sha512");
    }

    /// <summary>The registry itself.</summary>
    internal RegistryEndpoint EndpointOf(string domain)
    {
        ArgumentException.ThrowIfNullOrEmpty(domain);
        return _endpoints.GetOrAdd(domain, static (name, options) => Uri.TryCreate($"https://{name}/", UriKind.Absolute, out Uri? address) && address.PathAndQuery == "/" && address.UserInfo.Length == 0
            ? RegistryEndpoint.Of(name, options) : throw new ArgumentException($"'{name}' is no host of a registry.", nameof(domain)), Options);
    }

    /// <summary>Somebody whom a descriptor names; gets no credentials.</summary>
    internal RegistryEndpoint ForeignOf(Uri address) => _endpoints.GetOrAdd($"of {address.GetLeftPart(UriPartial.Authority)}", static (_, made) =>
        RegistryEndpoint.OfMirror(new(made.Address.GetLeftPart(UriPartial.Authority)), made.Options with { Credentials = (_, _) => ValueTask.FromResult<RegistryCredential?>(null) }), (Address: address, Options));

    /// <summary>Who is asked for what is read: the mirrors, and at last the registry itself. Those that have failed a moment ago come last of the mirrors.</summary>
    internal IEnumerable<RegistryEndpoint> EndpointsFor(ImageReference reference)
    {
        RegistrySettings settings = Options.Registries.GetValueOrDefault(reference.Domain, RegistrySettings.Default);
        return settings.Mirrors.Select(mirror => _endpoints.GetOrAdd(mirror.ToString(), _ => RegistryEndpoint.OfMirror(mirror, Options))).Where(mirror => !mirror.IsResting).Append(EndpointOf(reference.Domain));
    }

    /// <summary>Asks one after the other until one answers.</summary>
    internal async Task<T> ReadAsync<T>(ImageReference reference, Func<RegistryEndpoint, Task<T>> read, CancellationToken cancellationToken)
    {
        RegistryEndpoint[] endpoints = [.. EndpointsFor(reference)];
        for (int i = 0; ; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                T found = await read(endpoints[i]).ConfigureAwait(false);
                if (found is not null || i == endpoints.Length - 1) return found;
            }
            catch (ImageException exception) when (i < endpoints.Length - 1)
            {
                if (exception.Reason is not (ImageErrorReason.NotFound or ImageErrorReason.RepositoryNotFound)) endpoints[i].Rest();
            }
        }
    }

    private async Task<Descriptor?> HeadAsync(RegistryEndpoint endpoint, ImageReference reference, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await SendAsync(endpoint, reference, HttpMethod.Head, cancellationToken).ConfigureAwait(false);
        if (response.StatusCode == HttpStatusCode.NotFound) return null;
        if (!response.IsSuccessStatusCode) throw await RegistryAnswers.RefusalAsync(response, $"{reference} cannot be looked up", cancellationToken).ConfigureAwait(false);

        // A registry need not say the digest: then its content does.
        if (response.Headers.TryGetValues("Docker-Content-Digest", out IEnumerable<string>? values) && Digest.TryParse(values.First(), out Digest? digest) && response.Content.Headers is { ContentLength: { } size, ContentType.MediaType: { } type })
            return new() { MediaType = type, Digest = digest, Size = size };
        return (await GetAsync(endpoint, reference, cancellationToken).ConfigureAwait(false)).Descriptor;
    }

    private async Task<RegistryManifest> GetAsync(RegistryEndpoint endpoint, ImageReference reference, CancellationToken cancellationToken)
    {
        HttpResponseMessage response = await SendAsync(endpoint, reference, HttpMethod.Get, cancellationToken).ConfigureAwait(false);
        if (response.StatusCode == HttpStatusCode.NotFound) throw await NotFoundAsync(endpoint, reference, response, cancellationToken).ConfigureAwait(false);
        if (!response.IsSuccessStatusCode) throw await RegistryAnswers.RefusalAsync(response, $"{reference} cannot be had", cancellationToken).ConfigureAwait(false);
        using (response)
        {
            byte[] content = await BodyAsync(endpoint, response, ImageJson.Longest, cancellationToken).ConfigureAwait(false);
            string? type = response.Content.Headers.ContentType?.MediaType;
            Digest digest = reference.Digest is { } wanted ? Checked(wanted, content, $"What {endpoint.Domain} has sent as {reference}") : Digest.Of(content);
            if (response.Headers.TryGetValues("Docker-Content-Digest", out IEnumerable<string>? values) && Digest.TryParse(values.First(), out Digest? said) && said.CanVerify) Checked(said, content, $"What {endpoint.Domain} has sent as {reference}");
            return new(new() { MediaType = TypeOf(content, type, reference), Digest = digest, Size = content.Length }, content);
        }
    }

    /// <summary>Its body, while it comes in the time that it may take.</summary>
    internal async Task<byte[]> BodyAsync(RegistryEndpoint endpoint, HttpResponseMessage response, int longest, CancellationToken cancellationToken)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Options.Timeout);
        try
        {
            return await RegistryAnswers.ReadAsync(response, longest, limit.Token).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw RegistryConnection.NoAnswer(endpoint, exception is OperationCanceledException ? new TimeoutException($"What it sends has not ended after {Options.Timeout.TotalSeconds:0.#} s.") : exception);
        }
    }

    internal static Digest Checked(Digest expected, ReadOnlySpan<byte> content, string what)
    {
        if (!expected.CanVerify) throw new ImageException(ImageErrorReason.NotSupported, $"{what} cannot be checked against {expected}: the algorithms are sha256 and sha512");
        using System.Security.Cryptography.IncrementalHash hash = expected.StartHash();
        hash.AppendData(content);
        Digest got = expected.Finish(hash);
        return got == expected ? got : throw new ImageException(ImageErrorReason.DigestMismatch, $"{what} is {got}, and should be {expected}");
    }

    /// <summary>What content is: what it is said to be, and says of itself, are one, or it would be another image for another reader (CVE-2021-41190).</summary>
    private static string TypeOf(byte[] content, string? said, ImageReference reference)
    {
        string? own, schema;
        try
        {
            using JsonDocument document = JsonDocument.Parse(content, new() { MaxDepth = ImageJson.MostDeep });
            JsonElement root = document.RootElement;
            own = root.TryGetProperty("mediaType", out JsonElement type) && type.ValueKind == JsonValueKind.String ? type.GetString() : null;
            schema = root.TryGetProperty("schemaVersion", out JsonElement version) ? version.ToString() : null;
            own ??= said is null or "application/json" or "text/plain" ? root.TryGetProperty("manifests", out _) ? MediaTypes.Index : MediaTypes.Manifest : null;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw new ImageException(ImageErrorReason.InvalidContent, $"What the registry has sent as {reference} is no manifest", exception);
        }

        if (schema == "1") throw new ImageException(ImageErrorReason.NotSupported, $"{reference} is of Docker's schema 1, which nobody has written since 2017", remedy: "push the image anew");
        if (said is null or "application/json" or "text/plain") said = own; // servers of plain files do not know
        if (own is not null && own != said) throw new ImageException(ImageErrorReason.InvalidContent, $"The registry sends {reference} as a '{RegistryText.Shown(said!)}', and it says of itself that it is a '{RegistryText.Shown(own)}'");
        return ManifestTypes.Contains(said) ? said! : throw new ImageException(ImageErrorReason.NotSupported, $"{reference} is of the type '{RegistryText.Shown(said!)}', which is no image");
    }

    /// <summary>Which it is that is not there: the repository, or the tag in it. Not every registry says it at once.</summary>
    private async Task<ImageException> NotFoundAsync(RegistryEndpoint endpoint, ImageReference reference, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        ImageException refusal = await RegistryAnswers.RefusalAsync(response, $"The repository {reference.Name} has no {(reference.Digest is null ? $"tag '{reference.Tag}'" : $"manifest {reference.Digest}")}", cancellationToken).ConfigureAwait(false);
        bool isRepository = refusal.Reason == ImageErrorReason.RepositoryNotFound;
        if (!isRepository)
        {
            try
            {
                using HttpResponseMessage tags = await _connection.SendAsync(endpoint, PullScope(endpoint, reference), reference.Path, () => new(HttpMethod.Get, endpoint.At($"{endpoint.PathOf(reference.Path)}/tags/list?n=1")), cancellationToken, mayRepeat: false).ConfigureAwait(false);
                isRepository = tags.StatusCode == HttpStatusCode.NotFound;
            }
            catch (ImageException)
            {
                // It does not tell: then it is as it has said.
            }
        }

        return isRepository ? new(ImageErrorReason.RepositoryNotFound, $"The registry {reference.Domain} has no repository '{reference.Path}'", remedy: "see that the name is right, and that this account may see it") : refusal;
    }

    private Task<HttpResponseMessage> SendAsync(RegistryEndpoint endpoint, ImageReference reference, HttpMethod method, CancellationToken cancellationToken) => _connection.SendAsync(endpoint, PullScope(endpoint, reference), reference.Path, () =>
    {
        HttpRequestMessage request = new(method, endpoint.At($"{endpoint.PathOf(reference.Path)}/manifests/{SelectorOf(reference)}"));
        foreach (string type in ManifestTypes) request.Headers.Accept.Add(new(type));
        return request;
    }, cancellationToken);

    private async Task DeleteAsync(ImageReference repository, string what, string sentence, CancellationToken cancellationToken)
    {
        RegistryEndpoint endpoint = EndpointOf(repository.Domain);
        using HttpResponseMessage response = await _connection.SendAsync(endpoint, $"repository:{repository.Path}:pull,delete", repository.Path, () => new(HttpMethod.Delete, endpoint.At($"{repository.Path}/{what}")), cancellationToken).ConfigureAwait(false);
        if (!response.IsSuccessStatusCode) throw await RegistryAnswers.RefusalAsync(response, sentence, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>A list that comes in pages, each of which names the next (RFC 8288).</summary>
    private async IAsyncEnumerable<string> PagesAsync(RegistryEndpoint endpoint, string scope, string path, string first, string member, string sentence, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        HashSet<string> seen = [];
        for (Uri? page = endpoint.At(first); page is not null;)
        {
            Uri at = page;
            HttpResponseMessage response = await _connection.SendAsync(endpoint, scope, path, () => new(HttpMethod.Get, at), cancellationToken).ConfigureAwait(false);
            if (!response.IsSuccessStatusCode) throw await RegistryAnswers.RefusalAsync(response, sentence, cancellationToken).ConfigureAwait(false);
            using (response)
            {
                foreach (string each in ReadList(await BodyAsync(endpoint, response, ImageJson.Longest, cancellationToken).ConfigureAwait(false), member, sentence)) yield return each;
                page = NextOf(response, at) is { } next && RegistryConnection.IsSameOrigin(at, next) && seen.Add(next.ToString()) ? next : null;
            }
        }
    }

    private static List<string> ReadList(byte[] content, string member, string sentence)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(content);
            JsonElement list = document.RootElement.GetProperty(member);
            return list.ValueKind == JsonValueKind.Null ? [] : [.. list.EnumerateArray().Select(each => each.GetString() ?? "")]; // null is Go's empty list
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new ImageException(ImageErrorReason.RegistryFailed, $"{sentence}: the answer has no list '{member}'", exception as JsonException);
        }
    }

    private static Uri? NextOf(HttpResponseMessage response, Uri at)
    {
        if (!response.Headers.TryGetValues("Link", out IEnumerable<string>? links)) return null;
        foreach (string link in links)
        {
            int open = link.IndexOf('<', StringComparison.Ordinal), close = link.IndexOf('>', StringComparison.Ordinal);
            if (open >= 0 && close > open && link.AsSpan(close).Contains("rel=\"next\"", StringComparison.OrdinalIgnoreCase) && Uri.TryCreate(at, link[(open + 1)..close], out Uri? next)) return next;
        }

        return null;
    }
}
