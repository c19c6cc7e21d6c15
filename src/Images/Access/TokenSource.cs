using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Isolation.Images;

/// <summary>
/// What is put into the <c>Authorization</c> header for one server: nothing until it asks; then a name and a password, or a token that
/// its token server gives for them (the distribution project's token specification, and its OAuth 2 form for identity tokens). Safe from any thread.
/// </summary>
internal sealed class TokenSource(RegistryEndpoint endpoint, RegistryOptions options) : IDisposable
{
    private const string Client = "isolation";
    private const int LongestAnswer = 1 << 20, ShortestLife = 60;
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(5);
    private readonly ConcurrentDictionary<string, (AuthenticationHeaderValue Header, long Ends)> _headers = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _asking = new(1, 1);

    public void Dispose() => _asking.Dispose();

    /// <summary>What was good for a scope; null where nothing is known.</summary>
    internal AuthenticationHeaderValue? Known(string scope) => _headers.TryGetValue(scope, out (AuthenticationHeaderValue Header, long Ends) known) && Environment.TickCount64 < known.Ends ? known.Header : null;

    /// <summary>What answers a challenge.</summary>
    /// <param name="challenges">Those that came.</param>
    /// <param name="scope">What is wanted, as the token specification writes it; several with spaces between.</param>
    /// <param name="path">Of the repository.</param>
    /// <param name="refused">What was not enough; null for nothing.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Null where nothing more can be said.</returns>
    /// <exception cref="ImageException">The challenge cannot be answered.</exception>
    internal async Task<AuthenticationHeaderValue?> AnswerAsync(IReadOnlyList<Challenge> challenges, string scope, string path, AuthenticationHeaderValue? refused, CancellationToken cancellationToken)
    {
        await _asking.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (Known(scope) is { } known && !known.Equals(refused)) return known; // somebody was faster
            _headers.TryRemove(scope, out _);
            RegistryCredential? credential = await CredentialAsync(path, cancellationToken).ConfigureAwait(false);
            if (credential?.RegistryToken is { } token) return Keep(scope, new("Bearer", token), long.MaxValue, refused);
            if (challenges.FirstOrDefault(each => each.Is("Bearer")) is { } bearer)
            {
                (string value, TimeSpan life) = await FetchAsync(bearer, scope, credential, cancellationToken).ConfigureAwait(false);
                return Keep(scope, new("Bearer", value), Environment.TickCount64 + (long)life.TotalMilliseconds, null);
            }

            if (challenges.Any(each => each.Is("Basic")))
                return credential?.UserName is null ? null : Keep(scope, Basic(credential), long.MaxValue, refused);
            throw new ImageException(ImageErrorReason.Unauthorized, $"The registry {endpoint.Domain} asks for {(challenges is [] ? "credentials, and does not say how (it has sent no WWW-Authenticate)" : $"'{RegistryText.Shown(challenges[0].Scheme)}', which is neither Bearer nor Basic")}");
        }
        finally
        {
            _asking.Release();
        }
    }

    /// <summary>Who is asked for: what the caller's function says, or the files.</summary>
    private async ValueTask<RegistryCredential?> CredentialAsync(string path, CancellationToken cancellationToken) => options.Credentials is { } ask
        ? await ask(endpoint.Domain, cancellationToken).ConfigureAwait(false)
        : await CredentialFiles.FindAsync(endpoint.Domain, path, options.HelperTimeout, cancellationToken).ConfigureAwait(false);

    private AuthenticationHeaderValue? Keep(string scope, AuthenticationHeaderValue header, long ends, AuthenticationHeaderValue? refused)
    {
        if (header.Equals(refused)) return null;
        _headers[scope] = (header, ends);
        return header;
    }

    private static AuthenticationHeaderValue Basic(RegistryCredential credential) => new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{credential.UserName}:{credential.Password}")));

    private async Task<(string Token, TimeSpan Life)> FetchAsync(Challenge challenge, string scope, RegistryCredential? credential, CancellationToken cancellationToken)
    {
        if (!Uri.TryCreate(challenge["realm"], UriKind.Absolute, out Uri? realm) || realm.Scheme is not ("http" or "https") || realm.UserInfo.Length > 0)
            throw Malformed($"its realm '{RegistryText.Shown(challenge["realm"] ?? "")}' is no address");
        if (realm.Scheme == "http" && endpoint.Address.Scheme == "https")
            throw new ImageException(ImageErrorReason.Denied, $"The registry {endpoint.Domain} is spoken to over TLS, and its token server '{realm.GetLeftPart(UriPartial.Path)}' would be without: no credentials are sent there");
        List<KeyValuePair<string, string>> query = [];
        if (challenge["service"] is { Length: > 0 } service) query.Add(new("service", service));
        foreach (string each in ScopesOf(scope, challenge["scope"] ?? "")) query.Add(new("scope", each));
        using HttpRequestMessage request = Request(realm, query, credential);
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(options.Timeout);
        try
        {
            using HttpResponseMessage response = await endpoint.SendAsync(request, limit.Token).ConfigureAwait(false);
            byte[] answer = await RegistryAnswers.ReadAsync(response, LongestAnswer, limit.Token).ConfigureAwait(false);
            if (!response.IsSuccessStatusCode)
                throw RegistryAnswers.Refusal(response, answer, $"The token server '{realm.GetLeftPart(UriPartial.Path)}' of the registry {endpoint.Domain} gives no token to {credential?.ToString() ?? "who has no credentials"}");
            return Read(answer);
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new ImageException(ImageErrorReason.Unreachable, $"The token server '{realm.GetLeftPart(UriPartial.Path)}' of the registry {endpoint.Domain} does not answer", exception is OperationCanceledException ? null : exception);
        }
    }

    /// <summary>What is wanted, and what the registry says that it wants, where that is of something else.</summary>
    private static IEnumerable<string> ScopesOf(string wanted, string said)
    {
        string[] own = wanted.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return own.Concat(said.Split(' ', StringSplitOptions.RemoveEmptyEntries).Where(each => !own.Any(other => Subject(other) == Subject(each)))).Distinct();

        static string Subject(string scope) => scope[..Math.Max(0, scope.LastIndexOf(':'))];
    }

    private static HttpRequestMessage Request(Uri realm, List<KeyValuePair<string, string>> query, RegistryCredential? credential)
    {
        if (credential?.IdentityToken is { } identity)
        {
            KeyValuePair<string, string>[] scopes = [.. query.Where(each => each.Key == "scope")];
            List<KeyValuePair<string, string>> form = [.. query.Where(each => each.Key != "scope"), new("scope", string.Join(' ', scopes.Select(each => each.Value))), new("grant_type", "refresh_token"), new("refresh_token", identity), new("client_id", Client)];
            return new(HttpMethod.Post, realm) { Content = new FormUrlEncodedContent(form) };
        }

        string text = string.Join('&', query.Select(each => $"{each.Key}={Uri.EscapeDataString(each.Value)}"));
        UriBuilder address = new(realm) { Query = realm.Query is [_, .. { Length: > 0 } own] ? $"{own}&{text}" : text };
        HttpRequestMessage request = new(HttpMethod.Get, address.Uri);
        if (credential?.UserName is not null) request.Headers.Authorization = Basic(credential);
        return request;
    }

    private (string Token, TimeSpan Life) Read(byte[] answer)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(answer);
            string? token = (document.RootElement.TryGetProperty("token", out JsonElement first) ? first.GetString() : null)
                ?? (document.RootElement.TryGetProperty("access_token", out JsonElement second) ? second.GetString() : null);
            if (string.IsNullOrEmpty(token) || token.AsSpan().ContainsAnyExceptInRange('!', '~')) throw Malformed("its answer has no token");
            double seconds = document.RootElement.TryGetProperty("expires_in", out JsonElement life) && life.TryGetDouble(out double given) ? Math.Clamp(given, 1, 1e6) : ShortestLife;
            TimeSpan span = TimeSpan.FromSeconds(seconds);
            return (token, span > 2 * Margin ? span - Margin : span / 2);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw Malformed("its answer has no token");
        }
    }

    private ImageException Malformed(string why) => new(ImageErrorReason.RegistryFailed, $"The registry {endpoint.Domain} asks for a token, and {why}");
}
