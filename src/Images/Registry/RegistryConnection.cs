using System.Net;
using System.Net.Http.Headers;
using Polly;
using Polly.Retry;

namespace Isolation.Images;

/// <summary>
/// Sends requests to registries: answers their challenges, follows where they lead, without credentials where that is somebody else,
/// and tries again what may pass. Safe from any thread.
/// </summary>
internal sealed class RegistryConnection
{
    private const int MostHops = 10, MostAnswers = 2;
    private readonly RegistryOptions _options;
    private readonly ResiliencePipeline<HttpResponseMessage> _again;

    internal RegistryConnection(RegistryOptions options)
    {
        _options = options;
        _again = options.Retries == 0 ? ResiliencePipeline<HttpResponseMessage>.Empty : new ResiliencePipelineBuilder<HttpResponseMessage>().AddRetry(new RetryStrategyOptions<HttpResponseMessage>
        {
            MaxRetryAttempts = options.Retries,
            Delay = options.RetryDelay,
            MaxDelay = options.LongestRetryDelay,
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            ShouldHandle = arguments => ValueTask.FromResult(arguments.Outcome.Result is { } response ? MayPass(response) : arguments.Outcome.Exception is { } exception && MayPass(exception)),
            DelayGenerator = arguments => ValueTask.FromResult(arguments.Outcome.Result is { } response ? WaitOf(response) : null),
        }).Build();
    }

    /// <param name="endpoint">Whom.</param>
    /// <param name="scope">What for, as the token specification writes it.</param>
    /// <param name="path">Of the repository, for its credentials; empty for none.</param>
    /// <param name="make">Makes the request, anew for each time that it is sent.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <param name="mayRepeat">Whether it is tried again.</param>
    /// <returns>Whatever it is, but no challenge and no redirection; its body is still to come.</returns>
    /// <exception cref="ImageException">There is no answer.</exception>
    internal async Task<HttpResponseMessage> SendAsync(RegistryEndpoint endpoint, string scope, string path, Func<HttpRequestMessage> make, CancellationToken cancellationToken, bool mayRepeat = true)
    {
        try
        {
            return mayRepeat
                ? await _again.ExecuteAsync(async token => await AuthenticatedAsync(endpoint, scope, path, make, token).ConfigureAwait(false), cancellationToken).ConfigureAwait(false)
                : await AuthenticatedAsync(endpoint, scope, path, make, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or TimeoutException)
        {
            throw NoAnswer(endpoint, exception);
        }
    }

    /// <summary>Whether it makes sense to ask again; not where the server wants a longer wait than is allowed.</summary>
    internal bool MayPass(HttpResponseMessage response) =>
        response.StatusCode is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or HttpStatusCode.InternalServerError or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout
        && !(WaitOf(response) > _options.LongestRetryDelay);

    internal static bool MayPass(Exception exception) => exception switch
    {
        HttpRequestException failure => failure.HttpRequestError is not (HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError or HttpRequestError.ConfigurationLimitExceeded or HttpRequestError.InvalidResponse),
        IOException or TimeoutException => true,
        _ => false,
    };

    /// <summary>That a server has not answered, or has broken off.</summary>
    internal static ImageException NoAnswer(RegistryEndpoint endpoint, Exception cause)
    {
        string host = endpoint.Address.Authority;
        return cause switch
        {
            HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError } => new(ImageErrorReason.Unreachable, $"The host '{host}' of the registry {endpoint.Domain} is not known", cause, "see that the name is right: what comes before the first '/' of an image's name is its registry"),
            HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } => Insecure(endpoint, host, cause),
            TimeoutException => new(ImageErrorReason.Unreachable, $"The registry {endpoint.Domain} at '{host}' does not answer", cause),
            _ => new(ImageErrorReason.Unreachable, $"The registry {endpoint.Domain} at '{host}' does not answer as it should", cause.InnerException is { } inner && cause is HttpRequestException ? inner : cause),
        };
    }

    private static ImageException Insecure(RegistryEndpoint endpoint, string host, Exception cause)
    {
        Exception why = cause.InnerException ?? cause;
        bool isCertificate = why is System.Security.Authentication.AuthenticationException && why.Message.Contains("certificate", StringComparison.OrdinalIgnoreCase);
        return new(ImageErrorReason.Untrusted, isCertificate ? $"The certificate of '{host}' is not trusted" : $"With '{host}' no connection with TLS comes about", why,
            isCertificate ? $"name who vouches for it with RegistrySettings.CertificateAuthorities for '{endpoint.Domain}'" : $"where it has no TLS and may be spoken to without, set RegistrySettings.PlainHttp for '{endpoint.Domain}'");
    }

    private async Task<HttpResponseMessage> AuthenticatedAsync(RegistryEndpoint endpoint, string scope, string path, Func<HttpRequestMessage> make, CancellationToken cancellationToken)
    {
        AuthenticationHeaderValue? header = endpoint.Tokens.Known(scope);
        for (int answers = 0; ; answers++)
        {
            HttpResponseMessage response = await FollowAsync(endpoint, header, make, cancellationToken).ConfigureAwait(false);
            if (response.StatusCode != HttpStatusCode.Unauthorized || !IsSameOrigin(endpoint.Address, response.RequestMessage!.RequestUri!)) return response;
            try
            {
                if (answers < MostAnswers && await endpoint.Tokens.AnswerAsync(ChallengesOf(endpoint, response), scope, path, header, cancellationToken).ConfigureAwait(false) is { } next)
                {
                    response.Dispose();
                    header = next;
                    continue;
                }
            }
            catch
            {
                response.Dispose();
                throw;
            }

            throw await RegistryAnswers.RefusalAsync(response, header is null ? $"The registry {endpoint.Domain} asks for credentials, and there are none" : $"The registry {endpoint.Domain} does not take the credentials for {scope}", cancellationToken).ConfigureAwait(false);
        }
    }

    private static List<Challenge> ChallengesOf(RegistryEndpoint endpoint, HttpResponseMessage response)
    {
        string header = response.Headers.NonValidated.TryGetValues("WWW-Authenticate", out HeaderStringValues values) ? string.Join(", ", values) : "";
        try
        {
            return Challenge.Parse(header);
        }
        catch (FormatException exception)
        {
            throw new ImageException(ImageErrorReason.RegistryFailed, $"The registry {endpoint.Domain} asks for credentials with a header that cannot be read, '{RegistryText.Shown(header)}'", exception);
        }
    }

    private async Task<HttpResponseMessage> FollowAsync(RegistryEndpoint endpoint, AuthenticationHeaderValue? header, Func<HttpRequestMessage> make, CancellationToken cancellationToken)
    {
        Uri? target = null;
        for (int hops = 0; ; hops++)
        {
            using HttpRequestMessage request = make();
            if (target is not null) request.RequestUri = target;
            Uri at = request.RequestUri!;
            if (header is not null && IsSameOrigin(endpoint.Address, at)) request.Headers.Authorization = header;
            HttpResponseMessage response;
            try
            {
                response = await OnceAsync(endpoint, request, cancellationToken).ConfigureAwait(false);
            }
            catch (HttpRequestException exception) when (hops == 0 && exception.HttpRequestError is HttpRequestError.InvalidResponse or HttpRequestError.ResponseEnded && endpoint.TryTls())
            {
                continue;
            }

            if (hops == 0 && await WantsTlsAsync(endpoint, response, cancellationToken).ConfigureAwait(false) && endpoint.TryTls())
            {
                response.Dispose();
                continue;
            }

            endpoint.Settle();
            if (response.Headers.Location is not { } location || !IsRedirection(response.StatusCode, request.Method)) return response;
            response.Dispose();
            target = new(at, location);
            if (hops == MostHops) throw new ImageException(ImageErrorReason.RegistryFailed, $"The registry {endpoint.Domain} leads on {MostHops} times, at last to '{Shown(target)}'");
            if (target.Scheme is not ("https" or "http")) throw new ImageException(ImageErrorReason.Denied, $"The registry {endpoint.Domain} leads to '{Shown(target)}', which is not on the web");
            if (at.Scheme == "https" && target.Scheme == "http") throw new ImageException(ImageErrorReason.Denied, $"The registry {endpoint.Domain} leads from TLS to '{Shown(target)}', which is without");
        }
    }

    /// <summary>One request, until the head of its answer is there.</summary>
    private async Task<HttpResponseMessage> OnceAsync(RegistryEndpoint endpoint, HttpRequestMessage request, CancellationToken cancellationToken)
    {
        request.Headers.UserAgent.Add(new("isolation", null));
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(_options.Timeout);
        if (request.Content is UploadContent upload) upload.OnProgress = () => limit.CancelAfter(_options.Timeout);
        try
        {
            return await endpoint.SendAsync(request, limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"Nothing has come for {_options.Timeout.TotalSeconds:0.#} s.");
        }
    }

    /// <summary>Go's servers say so in words.</summary>
    private static async Task<bool> WantsTlsAsync(RegistryEndpoint endpoint, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.StatusCode != HttpStatusCode.BadRequest || endpoint.Address.Scheme != "http" || response.Content.Headers.ContentLength is > 200) return false;
        await response.Content.LoadIntoBufferAsync(64 << 10, cancellationToken).ConfigureAwait(false);
        return (await response.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false)).Contains("HTTPS server", StringComparison.OrdinalIgnoreCase);
    }

    private static bool IsRedirection(HttpStatusCode status, HttpMethod method) => status is HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect
        || (status is HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.SeeOther && (method == HttpMethod.Get || method == HttpMethod.Head));

    internal static bool IsSameOrigin(Uri one, Uri other) => one.Scheme == other.Scheme && one.Host == other.Host && one.Port == other.Port;

    private static string Shown(Uri address) => RegistryText.Shown(address.GetLeftPart(UriPartial.Path)); // what follows may be a secret

    private static TimeSpan? WaitOf(HttpResponseMessage response) => response.Headers.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } => date - DateTimeOffset.UtcNow is { Ticks: > 0 } wait ? wait : TimeSpan.Zero,
        _ => null,
    };
}
