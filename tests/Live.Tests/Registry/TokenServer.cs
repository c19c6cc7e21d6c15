using System.Collections.Concurrent;
using System.Collections.Specialized;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Web;
using Isolation.Nested;

namespace Isolation.Live.Tests;

/// <summary>Gives tokens to whoever knows the password, or has the identity token (the distribution project's token specification).</summary>
internal sealed class TokenServer : IAsyncDisposable
{
    internal const string Service = "tests-registry", Issuer = "tests-tokens", IdentityToken = "identity-of-the-tests";
    private readonly RSA _key = RSA.Create(2048);
    private readonly X509Certificate2 _certificate;
    private readonly LoopbackServer _server;

    internal TokenServer()
    {
        _certificate = new CertificateRequest("CN=tests-tokens", _key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        _server = new(AnswerAsync);
    }

    internal string Address => $"{_server.Address}/token";

    internal string CertificatePem => _certificate.ExportCertificatePem();

    /// <summary>How long a token is good, in seconds.</summary>
    internal int Life { get; set; } = 300;

    /// <summary>Each scope that a token was given for.</summary>
    internal ConcurrentQueue<string> Scopes { get; } = [];

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _certificate.Dispose();
        _key.Dispose();
    }

    private async Task AnswerAsync(Exchange exchange)
    {
        NameValueCollection asked = HttpUtility.ParseQueryString(exchange.Method == "POST" ? Encoding.UTF8.GetString(exchange.Body) : exchange.Target[(exchange.Target.IndexOf('?', StringComparison.Ordinal) + 1)..]);
        bool isKnown = exchange.Method == "POST" ? asked["refresh_token"] == IdentityToken
            : exchange.Headers.GetValueOrDefault("Authorization") == $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"{RegistryProcess.User}:{RegistryProcess.Password}"))}";
        if (!isKnown || asked["service"] != Service)
        {
            await exchange.AnswerAsync(401, """{"errors":[{"code":"UNAUTHORIZED","message":"who are you?"}]}""");
            return;
        }

        string[] scopes = [.. (asked.GetValues("scope") ?? []).SelectMany(scope => scope.Split(' '))];
        foreach (string scope in scopes) Scopes.Enqueue(scope);
        await exchange.AnswerAsync(200, JsonSerializer.Serialize(new Dictionary<string, object> { ["token"] = MakeToken(scopes), ["expires_in"] = Life }), ("Content-Type", "application/json"));
    }

    private string MakeToken(string[] scopes)
    {
        long now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        object header = new Dictionary<string, object> { ["typ"] = "JWT", ["alg"] = "RS256", ["x5c"] = new[] { Convert.ToBase64String(_certificate.RawData) } };
        object claims = new Dictionary<string, object>
        {
            ["iss"] = Issuer, ["sub"] = RegistryProcess.User, ["aud"] = Service, ["exp"] = now + Life, ["nbf"] = now - 10, ["iat"] = now, ["jti"] = Guid.NewGuid().ToString(),
            ["access"] = scopes.Select(scope => scope.Split(':')).Select(parts => new Dictionary<string, object> { ["type"] = parts[0], ["name"] = string.Join(':', parts[1..^1]), ["actions"] = parts[^1].Split(',') }).ToArray(),
        };
        string signed = $"{Encode(JsonSerializer.SerializeToUtf8Bytes(header))}.{Encode(JsonSerializer.SerializeToUtf8Bytes(claims))}";
        return $"{signed}.{Encode(_key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1))}";
    }

    private static string Encode(byte[] bytes) => Convert.ToBase64String(bytes).TrimEnd('=').Replace('+', '-').Replace('/', '_');
}
