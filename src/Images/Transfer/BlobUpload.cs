using System.Net;
using System.Net.Http.Headers;

namespace Isolation.Images;

/// <summary>
/// Puts one blob into a repository (distribution-spec, "Pushing blobs"): not where it is there, from another repository of the registry
/// where it is in that, else in one request or in several. What breaks off goes on from where the registry says that it stands.
/// </summary>
internal sealed class BlobUpload(RegistryClient client, ImageReference repository, Descriptor blob, Func<CancellationToken, ValueTask<Stream>> open, BlobUploadOptions options)
{
    private readonly RegistryEndpoint _endpoint = client.EndpointOf(repository.Domain);
    private readonly string _scope = options.MountFrom is { } from
        ? $"{RegistryClient.PushScope(client.EndpointOf(repository.Domain), repository)} {RegistryClient.PullScope(client.EndpointOf(repository.Domain), from)}"
        : RegistryClient.PushScope(client.EndpointOf(repository.Domain), repository);

    private long _leastPart; // what the registry takes in one request at least

    private string Blobs => $"{_endpoint.PathOf(repository.Path)}/blobs";

    /// <returns>Whether any bytes were sent: false where it was there, or came from another repository.</returns>
    /// <exception cref="ImageException">The registry refuses, or does not answer.</exception>
    internal async Task<bool> RunAsync(CancellationToken cancellationToken)
    {
        if (await IsThereAsync(cancellationToken).ConfigureAwait(false) || await BeginAsync(cancellationToken).ConfigureAwait(false) is not { } place) return false;
        long at = 0;
        for (int failures = 0; ;)
        {
            ImageException problem;
            long before = at;
            try
            {
                HttpResponseMessage response = await SendPartAsync(place, at, cancellationToken).ConfigureAwait(false);
                if (response.StatusCode == HttpStatusCode.Created)
                {
                    response.Dispose();
                    return true;
                }

                if (response.StatusCode is HttpStatusCode.Accepted or HttpStatusCode.NoContent)
                {
                    using (response) (place, at) = (PlaceOf(response, place), StandsAt(response) ?? Math.Min(blob.Size, at + PartAt(at)));
                    if (at <= before) throw new ImageException(ImageErrorReason.Unreachable, $"The registry {repository.Domain} takes bytes of the blob {blob.Digest}, and has none more than before");
                    failures = 0;
                    continue;
                }

                bool mayPass = client.Connection.MayPass(response) || response.StatusCode is HttpStatusCode.RequestedRangeNotSatisfiable or HttpStatusCode.NotFound;
                problem = await RegistryAnswers.RefusalAsync(response, $"The blob {blob.Digest} cannot be put into {repository.Name}", cancellationToken).ConfigureAwait(false);
                if (!mayPass) throw problem;
            }
            catch (ImageException exception) when (exception.Reason == ImageErrorReason.Unreachable)
            {
                problem = exception;
            }

            if (failures++ == client.Options.Retries) throw problem;
            await client.PauseAsync(failures, cancellationToken).ConfigureAwait(false);
            if (await StandAsync(place, cancellationToken).ConfigureAwait(false) is { } stand) (place, at) = stand;
            else if (await BeginAsync(cancellationToken).ConfigureAwait(false) is { } anew) (place, at) = (anew, 0);
            else return true;
            if (at > before) failures = 0;
        }
    }

    private async Task<bool> IsThereAsync(CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await client.Connection.SendAsync(_endpoint, _scope, repository.Path, () => new(HttpMethod.Head, _endpoint.At($"{Blobs}/{blob.Digest}")), cancellationToken).ConfigureAwait(false);
        if (response.IsSuccessStatusCode) return true;
        return response.StatusCode == HttpStatusCode.NotFound ? false
            : throw await RegistryAnswers.RefusalAsync(response, $"Whether the blob {blob.Digest} is in {repository.Name} is not to be learned", cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Where it may be sent; null where it is there by now.</summary>
    private async Task<Uri?> BeginAsync(CancellationToken cancellationToken)
    {
        string mount = options.MountFrom is { } from ? $"?mount={Uri.EscapeDataString(blob.Digest.ToString())}&from={Uri.EscapeDataString(_endpoint.PathOf(from.Path))}" : "";
        HttpResponseMessage response = await client.Connection.SendAsync(_endpoint, _scope, repository.Path, () => new(HttpMethod.Post, _endpoint.At($"{Blobs}/uploads/{mount}")) { Content = new ByteArrayContent([]) }, cancellationToken).ConfigureAwait(false);
        if (response.StatusCode is not (HttpStatusCode.Created or HttpStatusCode.Accepted)) throw await RegistryAnswers.RefusalAsync(response, $"Nothing can be put into {repository.Name}", cancellationToken).ConfigureAwait(false);
        if (response.Headers.TryGetValues("OCI-Chunk-Min-Length", out IEnumerable<string>? least)) _ = long.TryParse(least.First(), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out _leastPart);
        using (response) return response.StatusCode == HttpStatusCode.Created ? null : PlaceOf(response, response.RequestMessage!.RequestUri!);
    }

    /// <summary>The rest, which ends the upload; or a part of it where the parts have a size, or the beginning has been sent already.</summary>
    private Task<HttpResponseMessage> SendPartAsync(Uri place, long at, CancellationToken cancellationToken)
    {
        long left = blob.Size - at;
        bool isWhole = at == 0 && PartAt(at) == left;
        if (isWhole || left == 0) return SendAsync(HttpMethod.Put, WithDigest(place), at, left);
        return SendAsync(HttpMethod.Patch, place, at, PartAt(at));

        Task<HttpResponseMessage> SendAsync(HttpMethod method, Uri to, long from, long length) => client.Connection.SendAsync(_endpoint, _scope, repository.Path, () =>
        {
            UploadContent content = new(open, from, length, options.OnSent);
            content.Headers.ContentType = new("application/octet-stream");
            if (method == HttpMethod.Patch) content.Headers.TryAddWithoutValidation("Content-Range", $"{from}-{from + length - 1}"); // without a unit, as the specification has it
            return new(method, to) { Content = content };
        }, cancellationToken, mayRepeat: false);
    }

    private long PartAt(long at) => options.ChunkSize == 0 ? blob.Size - at : Math.Min(blob.Size - at, Math.Max(_leastPart, options.ChunkSize));

    /// <summary>How much of it the registry has; null where it does not know the upload any more.</summary>
    private async Task<(Uri Place, long At)?> StandAsync(Uri place, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await client.Connection.SendAsync(_endpoint, _scope, repository.Path, () => new(HttpMethod.Get, place), cancellationToken).ConfigureAwait(false);
        if (!response.IsSuccessStatusCode) return null;
        long at = StandsAt(response) ?? 0;
        return at <= blob.Size ? (PlaceOf(response, place), at) : null;
    }

    private Uri PlaceOf(HttpResponseMessage response, Uri before)
    {
        if (response.Headers.Location is not { } location) return before;
        Uri place = new(before, location);
        if (place.Scheme is not ("https" or "http")) throw new ImageException(ImageErrorReason.RegistryFailed, $"The registry {repository.Domain} wants an upload at '{RegistryText.Shown(place.GetLeftPart(UriPartial.Path))}', which is not on the web");
        return before.Scheme == "https" && place.Scheme == "http"
            ? throw new ImageException(ImageErrorReason.Denied, $"The registry {repository.Domain} leads an upload from TLS to '{RegistryText.Shown(place.GetLeftPart(UriPartial.Path))}', which is without") : place;
    }

    /// <summary>From <c>Range: 0-N</c>, whose end is the last byte that is there; 0 stands for none, as the distribution project's registry says it.</summary>
    private static long? StandsAt(HttpResponseMessage response)
    {
        if (!response.Headers.NonValidated.TryGetValues("Range", out HeaderStringValues values) && !response.Content.Headers.NonValidated.TryGetValues("Range", out values)) return null;
        string range = values.ToString();
        int dash = range.IndexOf('-', StringComparison.Ordinal);
        return dash > 0 && long.TryParse(range.AsSpan(dash + 1), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out long last) && last < long.MaxValue ? last == 0 ? 0 : last + 1 : null;
    }

    private Uri WithDigest(Uri place)
    {
        string digest = $"digest={Uri.EscapeDataString(blob.Digest.ToString())}";
        return new UriBuilder(place) { Query = place.Query is [_, .. { Length: > 0 } own] ? $"{own}&{digest}" : digest }.Uri;
    }
}

/// <summary>How one blob is put.</summary>
/// <param name="ChunkSize">How much of it goes in one request, in bytes; 0 for all of it.</param>
/// <param name="MountFrom">A repository of the same registry that perhaps has it.</param>
/// <param name="OnSent">Told how many bytes went.</param>
internal sealed record BlobUploadOptions(long ChunkSize = 0, ImageReference? MountFrom = null, Action<int>? OnSent = null);
