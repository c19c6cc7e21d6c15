using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;

namespace Isolation.Images;

/// <summary>
/// A blob as it comes from a registry, or from one of its mirrors: what was there already comes from its file, the rest goes into that as it
/// passes by. What breaks off is asked for again from there. For one thread.
/// </summary>
internal sealed class BlobDownload(RegistryClient client, ImageReference repository, Descriptor blob, PartialBlob? partial, Action<int>? onBytes = null) : Stream
{
    private readonly IncrementalHash? _hash = partial is null ? blob.Digest.StartHash() : null; // else whoever reads it checks it
    private CancellationTokenSource _still = new();
    private HttpResponseMessage? _response;
    private RegistryEndpoint? _endpoint;
    private Stream? _body;
    private long _at;
    private int _failures;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => blob.Size;

    public override long Position
    {
        get => _at;
        set => throw new NotSupportedException();
    }

    /// <summary>Asks for it before anything is read, so that what is refused is so at once.</summary>
    /// <exception cref="ImageException">It is not to be had.</exception>
    internal async Task BeginAsync(CancellationToken cancellationToken)
    {
        if ((partial?.Kept ?? 0) < blob.Size || blob.Size == 0) await OpenAsync(cancellationToken).ConfigureAwait(false);
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty) return 0;
        if (_at < (partial?.Kept ?? 0))
        {
            int kept = await partial!.ReadKeptAsync(buffer[..(int)Math.Min(buffer.Length, partial.Kept - _at)], cancellationToken).ConfigureAwait(false);
            if (kept == 0) throw new ImageException(ImageErrorReason.Damaged, $"What was fetched of the blob {blob.Digest} has become shorter");
            return Passed(kept);
        }

        while (true)
        {
            int count;
            try
            {
                if (_body is null)
                {
                    if (_at == blob.Size && _at > 0) return Ended();
                    await OpenAsync(cancellationToken).ConfigureAwait(false);
                }

                count = await ReadBodyAsync(buffer, cancellationToken).ConfigureAwait(false);
                if (count == 0 && _at < blob.Size) throw new EndOfStreamException($"It ended after {_at} of {blob.Size} bytes.");
            }
            catch (Exception exception) when (exception is HttpRequestException or IOException or TimeoutException)
            {
                await RestAsync(exception, cancellationToken).ConfigureAwait(false);
                continue;
            }

            if (count == 0) return Ended();
            if (_at + count > blob.Size) throw new ImageException(ImageErrorReason.SizeMismatch, $"The blob {blob.Digest} has more than the {blob.Size} bytes that its descriptor says");
            partial?.Append(buffer.Span[..count]);
            _failures = 0;
            return Passed(count, buffer.Span);
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            HangUp();
            _hash?.Dispose();
            _still.Dispose();
        }

        base.Dispose(disposing);
    }

    private int Passed(int count, ReadOnlySpan<byte> bytes = default)
    {
        _hash?.AppendData(bytes[..count]);
        _at += count;
        onBytes?.Invoke(count);
        return count;
    }

    private int Ended()
    {
        HangUp();
        if (_hash is not null && blob.Digest.Finish(_hash) is { } got && got != blob.Digest) throw new ImageException(ImageErrorReason.DigestMismatch, $"The blob that should be {blob.Digest} is {got}");
        return 0;
    }

    private async ValueTask<int> ReadBodyAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        ValueTask<int> reading = _body!.ReadAsync(buffer, _still.Token);
        if (reading.IsCompleted) return await reading.ConfigureAwait(false);
        CancellationTokenRegistration ended = cancellationToken.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), _still);
        _still.CancelAfter(client.Options.Timeout);
        try
        {
            return await reading.ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"Nothing has come for {client.Options.Timeout.TotalSeconds:0.#} s.");
        }
        catch (OperationCanceledException)
        {
            throw new OperationCanceledException(cancellationToken);
        }
        finally
        {
            _still.CancelAfter(System.Threading.Timeout.Infinite);
            await ended.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Something has broken off: a while is let pass, and as much as came is kept.</summary>
    private async Task RestAsync(Exception cause, CancellationToken cancellationToken)
    {
        HangUp();
        _endpoint!.Rest();
        if (_failures++ == client.Options.Retries) throw new ImageException(ImageErrorReason.Unreachable, $"The blob {blob.Digest} breaks off again and again: {_at} of {blob.Size} bytes have come from {_endpoint.Domain}", cause, "try again: what has come is kept");
        _still.Dispose(); // one that has gone off does so no second time
        _still = new();
        await client.PauseAsync(_failures, cancellationToken).ConfigureAwait(false);
    }

    private void HangUp()
    {
        _body?.Dispose();
        _response?.Dispose();
        (_body, _response) = (null, null);
    }

    private async Task OpenAsync(CancellationToken cancellationToken)
    {
        long at = Math.Max(_at, partial?.Kept ?? 0);
        (_endpoint, _response) = await client.ReadAsync(repository, async endpoint => (endpoint, await AskAsync(endpoint, at, cancellationToken).ConfigureAwait(false)), cancellationToken).ConfigureAwait(false);
        _body = await _response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        if (_response.StatusCode == HttpStatusCode.OK && at > 0) await SkipAsync(at, cancellationToken).ConfigureAwait(false); // it does not know ranges
    }

    private async Task SkipAsync(long count, CancellationToken cancellationToken)
    {
        byte[] rest = new byte[64 << 10];
        while (count > 0)
        {
            int read = await ReadBodyAsync(rest.AsMemory(0, (int)Math.Min(rest.Length, count)), cancellationToken).ConfigureAwait(false);
            if (read == 0) throw new EndOfStreamException("It ended before it came to what was missing.");
            count -= read;
        }
    }

    private async Task<HttpResponseMessage> AskAsync(RegistryEndpoint endpoint, long at, CancellationToken cancellationToken)
    {
        HttpResponseMessage response = await GetAsync(endpoint, () => endpoint.At($"{endpoint.PathOf(repository.Path)}/blobs/{blob.Digest}"), at, cancellationToken).ConfigureAwait(false);
        if (response.StatusCode == HttpStatusCode.NotFound && blob.Urls is { IsDefaultOrEmpty: false } urls) return await AskElsewhereAsync(response, urls[0], at, cancellationToken).ConfigureAwait(false);
        return await CheckAsync(response, endpoint.Domain, at, cancellationToken).ConfigureAwait(false);
    }

    private async Task<HttpResponseMessage> AskElsewhereAsync(HttpResponseMessage refusal, string url, long at, CancellationToken cancellationToken)
    {
        if (!client.Options.AllowForeignUrls || !Uri.TryCreate(url, UriKind.Absolute, out Uri? address) || address.Scheme is not ("https" or "http"))
        {
            refusal.Dispose();
            throw new ImageException(ImageErrorReason.Denied, $"The registry {repository.Domain} has not got the blob {blob.Digest}, and its descriptor says to ask '{RegistryText.Shown(url)}'", remedy: "where you trust who made the image, set RegistryOptions.AllowForeignUrls");
        }

        refusal.Dispose();
        return await CheckAsync(await GetAsync(client.ForeignOf(address), () => address, at, cancellationToken).ConfigureAwait(false), address.Authority, at, cancellationToken).ConfigureAwait(false);
    }

    private Task<HttpResponseMessage> GetAsync(RegistryEndpoint endpoint, Func<Uri> address, long at, CancellationToken cancellationToken) => client.Connection.SendAsync(endpoint, RegistryClient.PullScope(endpoint, repository), repository.Path, () =>
    {
        HttpRequestMessage request = new(HttpMethod.Get, address());
        if (at > 0) request.Headers.Range = new(at, null);
        return request;
    }, cancellationToken);

    private async Task<HttpResponseMessage> CheckAsync(HttpResponseMessage response, string from, long at, CancellationToken cancellationToken)
    {
        if (!response.IsSuccessStatusCode) throw await RegistryAnswers.RefusalAsync(response, $"The blob {blob.Digest} of {repository.Name} is not to be had from {from}", cancellationToken).ConfigureAwait(false);
        long? size = response.StatusCode == HttpStatusCode.PartialContent ? response.Content.Headers.ContentRange?.Length : response.Content.Headers.ContentLength;
        string? problem = size is { } said && said != blob.Size ? $"has {said} bytes, and its descriptor says {blob.Size}"
            : response.StatusCode == HttpStatusCode.PartialContent && response.Content.Headers.ContentRange?.From != at ? $"comes from {response.Content.Headers.ContentRange?.From} on, and was asked for from {at} on" : null;
        if (problem is null) return response;
        response.Dispose();
        throw new ImageException(ImageErrorReason.SizeMismatch, $"The blob {blob.Digest} from {from} {problem}");
    }
}
