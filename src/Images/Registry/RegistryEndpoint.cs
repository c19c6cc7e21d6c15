using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace Isolation.Images;

/// <summary>A server that a registry's content is asked of: the registry itself, or a mirror of it. Safe from any thread.</summary>
internal sealed class RegistryEndpoint : IDisposable
{
    private const string HubHost = "registry-1.docker.io";
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(30);
    private readonly string _prefix;
    private readonly HttpMessageInvoker _http;
    private volatile bool _mayTryTls;
    private volatile Uri _address;
    private long _failedAt;

    /// <param name="domain">As references have it, or a mirror's host.</param>
    /// <param name="address">Where it is.</param>
    /// <param name="options">How it is asked.</param>
    private RegistryEndpoint(string domain, Uri address, RegistryOptions options)
    {
        Domain = domain;
        RegistrySettings settings = options.Registries.GetValueOrDefault(domain, RegistrySettings.Default);
        _mayTryTls = address.Scheme == "http" && !settings.PlainHttp;
        _address = new(address, "/");
        _prefix = address.AbsolutePath.Trim('/') is { Length: > 0 } path ? path + "/" : "";
        Tokens = new(this, options);
        _http = new(MakeHandler(settings, _address.Host, _address.IsLoopback, options.Timeout));
    }

    /// <summary>Whose credentials are asked for.</summary>
    internal string Domain { get; }

    /// <summary>Scheme, host and port.</summary>
    internal Uri Address => _address;

    internal TokenSource Tokens { get; }

    /// <summary>Whether it has failed a moment ago: others are asked first.</summary>
    internal bool IsResting => Volatile.Read(ref _failedAt) is > 0 and long at && Environment.TickCount64 - at < Pause.TotalMilliseconds;

    /// <summary>The registry itself. One of this machine has no TLS where nothing is said of it: nobody is on the way.</summary>
    internal static RegistryEndpoint Of(string domain, RegistryOptions options)
    {
        RegistrySettings settings = options.Registries.GetValueOrDefault(domain, RegistrySettings.Default);
        Uri address = new($"https://{(domain == ImageReference.Hub ? HubHost : domain)}/");
        bool isPlain = settings.PlainHttp || (address.IsLoopback && settings.CertificateAuthorities.IsDefaultOrEmpty && settings.ClientCertificate is null);
        return new(domain, isPlain ? WithScheme(address, "http", 80) : address, options);
    }

    /// <exception cref="ImageException">It would be spoken to without TLS, and nobody has said that it may.</exception>
    internal static RegistryEndpoint OfMirror(Uri mirror, RegistryOptions options)
    {
        if (mirror.Scheme == "http" && !mirror.IsLoopback && !options.Registries.GetValueOrDefault(mirror.Authority, RegistrySettings.Default).PlainHttp)
            throw new ImageException(ImageErrorReason.Denied, $"The mirror '{mirror}' is without TLS", remedy: $"say https, or set PlainHttp for '{mirror.Authority}'");
        return new(mirror.Authority, mirror, options);
    }

    /// <summary>From now on with TLS, where that was not tried and may be.</summary>
    internal bool TryTls()
    {
        if (!_mayTryTls) return false;
        _mayTryTls = false;
        _address = WithScheme(_address, "https", 443);
        return true;
    }

    /// <summary>It has answered as it was asked: it is as it is.</summary>
    internal void Settle() => _mayTryTls = false;

    private static Uri WithScheme(Uri address, string scheme, int port) => new UriBuilder(address) { Scheme = scheme, Port = address.IsDefaultPort ? port : address.Port }.Uri;

    /// <summary>Of a repository as this server has it.</summary>
    internal string PathOf(string repository) => _prefix + repository;

    /// <summary>An address of the protocol.</summary>
    internal Uri At(string path) => new(Address, $"/v2/{path}");

    internal void Rest() => Volatile.Write(ref _failedAt, Environment.TickCount64);

    internal Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => _http.SendAsync(request, cancellationToken);

    public void Dispose()
    {
        _http.Dispose();
        Tokens.Dispose();
    }

    private static SocketsHttpHandler MakeHandler(RegistrySettings settings, string host, bool isLoopback, TimeSpan timeout)
    {
        SocketsHttpHandler handler = new()
        {
            AllowAutoRedirect = false, // credentials stay behind
            AutomaticDecompression = DecompressionMethods.None, // digests are of what is sent
            UseCookies = false,
            UseProxy = !isLoopback,
            ConnectTimeout = timeout,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            MaxResponseHeadersLength = 64,
            MaxResponseDrainSize = 64 << 10,
            InitialHttp2StreamWindowSize = 1 << 20,
        };
        if (settings.ClientCertificate is { } own) handler.SslOptions.LocalCertificateSelectionCallback = (_, target, _, _, _) => target == host ? own : null!; // not to whom it leads on to
        if (settings.CertificateAuthorities is { IsDefaultOrEmpty: false } authorities)
        {
            using X509Store system = new(StoreName.Root, StoreLocation.LocalMachine, OpenFlags.ReadOnly);
            X509ChainPolicy policy = new() { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            policy.CustomTrustStore.AddRange(authorities.ToArray());
            policy.CustomTrustStore.AddRange(system.Certificates); // of a token server, or of a store of blobs
            handler.SslOptions.CertificateChainPolicy = policy;
        }

        return handler;
    }
}
