using System.Collections.Immutable;
using System.Security.Cryptography.X509Certificates;

namespace Isolation.Images;

/// <summary>How registries are asked. Immutable.</summary>
public sealed record RegistryOptions
{
    /// <summary>
    /// Whose name is given: called with the domain of a registry, as references have it, when that asks for credentials; null for none.
    /// Where it is not set, the files of <c>docker login</c> and <c>podman login</c> are read, and the credential helpers that they name asked.
    /// </summary>
    public Func<string, CancellationToken, ValueTask<RegistryCredential?>>? Credentials { get; init; }

    /// <summary>What is different about a registry, by its domain as references have it, with its port where they have one; of a mirror, by its own.</summary>
    public ImmutableDictionary<string, RegistrySettings> Registries { get; init; } = ImmutableDictionary<string, RegistrySettings>.Empty;

    /// <summary>How often something is tried again that has failed in a way that may pass: 408, 429, 5xx, a broken connection; 4 times. A transfer that has gone on begins to count anew.</summary>
    public int Retries { get; init; } = 4;

    /// <summary>How long the first wait before that is; it doubles, with some chance in it. Where the server says how long (<c>Retry-After</c>), it is that; 200 ms.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>The longest that a server may make one wait; where it wants more, that is said at once. One minute.</summary>
    public TimeSpan LongestRetryDelay { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long a server may take to answer, and how long a transfer may stand still; 30 s.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a credential helper may take; 30 s.</summary>
    public TimeSpan HelperTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Whether what a layer's descriptor names as its other places (<c>urls</c>) is asked, where the registry has not got it. False: who made the image would choose whom this machine talks to.</summary>
    public bool AllowForeignUrls { get; init; }

    /// <exception cref="ArgumentOutOfRangeException">A number is negative, or a time is not positive.</exception>
    internal RegistryOptions Checked()
    {
        ArgumentOutOfRangeException.ThrowIfNegative(Retries);
        foreach ((TimeSpan value, string name) in (ReadOnlySpan<(TimeSpan, string)>)[(RetryDelay, nameof(RetryDelay)), (LongestRetryDelay, nameof(LongestRetryDelay)), (Timeout, nameof(Timeout)), (HelperTimeout, nameof(HelperTimeout))])
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(value, TimeSpan.Zero, name);
        foreach (Uri mirror in Registries.Values.SelectMany(settings => settings.Mirrors))
            if (!mirror.IsAbsoluteUri || mirror.Scheme is not ("https" or "http") || mirror.UserInfo.Length > 0 || mirror.Query.Length > 0) throw new ArgumentException($"The mirror '{mirror}' is no address such as https://HOST or https://HOST/PATH.");
        return this;
    }
}

/// <summary>What is different about one registry. Immutable.</summary>
public sealed record RegistrySettings
{
    /// <summary>What holds where nothing is said.</summary>
    public static RegistrySettings Default { get; } = new();

    /// <summary>Asked for what is pulled, in their order, before the registry itself; a path is put before that of the repository.</summary>
    public ImmutableArray<Uri> Mirrors { get; init; } = [];

    /// <summary>Whether it is spoken to without TLS. A registry of this machine (localhost, 127.0.0.0/8, ::1) is without being asked, unless something is said here of certificates, or it wants TLS.</summary>
    public bool PlainHttp { get; init; }

    /// <summary>Who may vouch for it, beside those that the system trusts. They stay the caller's.</summary>
    public ImmutableArray<X509Certificate2> CertificateAuthorities { get; init; } = [];

    /// <summary>With its private key, shown to a registry that asks for one; it stays the caller's.</summary>
    public X509Certificate2? ClientCertificate { get; init; }
}
