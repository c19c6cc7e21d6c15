using System.Text;
using System.Text.Json;

namespace Isolation.Images;

/// <summary>
/// The files in which <c>podman login</c> (containers-auth.json(5)) and <c>docker login</c> keep credentials: the first of
/// <c>$REGISTRY_AUTH_FILE</c>, <c>containers/auth.json</c> under <c>$XDG_RUNTIME_DIR</c> and <c>~/.config</c>, and <c>config.json</c> under
/// <c>$DOCKER_CONFIG</c> or <c>~/.docker</c>, that knows any.
/// </summary>
internal static class CredentialFiles
{
    private const string HubKey = "https://index.docker.io/v1/";

    /// <param name="domain">Of the registry, as references have it.</param>
    /// <param name="path">Of the repository; empty for none.</param>
    /// <param name="helperPatience">How long a helper may take.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Null where nobody knows any.</returns>
    /// <exception cref="ImageException">A file cannot be read, or a helper fails.</exception>
    internal static async Task<RegistryCredential?> FindAsync(string domain, string path, TimeSpan helperPatience, CancellationToken cancellationToken)
    {
        foreach (string file in Paths())
        {
            if (await FindInAsync(file, domain, path, helperPatience, cancellationToken).ConfigureAwait(false) is { } found) return found;
        }

        return null;
    }

    /// <inheritdoc cref="FindAsync"/>
    internal static async Task<RegistryCredential?> FindInAsync(string file, string domain, string path, TimeSpan helperPatience, CancellationToken cancellationToken)
    {
        if (StoreCalls.ReadIfThere(file) is not { Length: > 0 } content) return null;
        string? helper;
        try
        {
            using JsonDocument document = JsonDocument.Parse(content, new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            JsonElement root = document.RootElement;
            string[] keys = [.. KeysOf(domain, path)];
            helper = keys.Select(key => Text(Member(Member(root, "credHelpers"), key))).FirstOrDefault(name => name is not null);
            if (helper is null && keys.Select(key => Credential(Member(Member(root, "auths"), key), file)).FirstOrDefault(found => found is not null) is { } written) return written;
            helper ??= Text(Member(root, "credsStore"));
        }
        catch (Exception exception) when (exception is JsonException or FormatException or InvalidOperationException or ArgumentException)
        {
            throw new ImageException(ImageErrorReason.Unauthorized, $"The credentials in '{file}' cannot be read", exception is JsonException or FormatException ? exception : null, "mend it, or log in anew");
        }

        return string.IsNullOrEmpty(helper) ? null : await CredentialProgram.GetAsync(helper, domain == ImageReference.Hub ? HubKey : domain, helperPatience, cancellationToken).ConfigureAwait(false);
    }

    private static IEnumerable<string> Paths()
    {
        if (Variable("REGISTRY_AUTH_FILE") is { } named) yield return named;
        string? home = Variable("HOME");
        if (Variable("XDG_RUNTIME_DIR") is { } runtime) yield return Path.Join(runtime, "containers/auth.json");
        if ((Variable("XDG_CONFIG_HOME") ?? (home is null ? null : Path.Join(home, ".config"))) is { } config) yield return Path.Join(config, "containers/auth.json");
        if ((Variable("DOCKER_CONFIG") ?? (home is null ? null : Path.Join(home, ".docker"))) is { } docker) yield return Path.Join(docker, "config.json");
    }

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    /// <summary>From the repository upwards to the host, and as docker(1) once wrote hosts.</summary>
    private static IEnumerable<string> KeysOf(string domain, string path)
    {
        for (string rest = path; rest.Length > 0; rest = rest[..Math.Max(0, rest.LastIndexOf('/'))]) yield return $"{domain}/{rest}";
        yield return domain;
        if (domain == ImageReference.Hub)
        {
            yield return HubKey;
            yield return "index.docker.io";
        }

        foreach (string suffix in (string[])["", "/", "/v1/", "/v2/"])
        {
            yield return $"https://{domain}{suffix}";
            yield return $"http://{domain}{suffix}";
        }
    }

    private static RegistryCredential? Credential(JsonElement? entry, string file)
    {
        if (entry is not { ValueKind: JsonValueKind.Object }) return null;
        if (Text(Member(entry, "registrytoken")) is { Length: > 0 } registryToken) return RegistryCredential.OfRegistryToken(registryToken);
        if (Text(Member(entry, "identitytoken")) is { Length: > 0 } identityToken) return RegistryCredential.OfIdentityToken(identityToken);
        if (Text(Member(entry, "auth")) is { Length: > 0 } encoded)
        {
            string decoded = Encoding.UTF8.GetString(Convert.FromBase64String(encoded)).TrimEnd('\0');
            int colon = decoded.IndexOf(':', StringComparison.Ordinal);
            return colon > 0 ? RegistryCredential.OfUser(decoded[..colon], decoded[(colon + 1)..]) : throw new FormatException($"'auth' in '{file}' is no base64 of NAME:PASSWORD.");
        }

        return Text(Member(entry, "username")) is { Length: > 0 } user ? RegistryCredential.OfUser(user, Text(Member(entry, "password")) ?? "") : null;
    }

    private static JsonElement? Member(JsonElement? element, string name) =>
        element is { ValueKind: JsonValueKind.Object } value && value.TryGetProperty(name, out JsonElement member) ? member : null;

    private static string? Text(JsonElement? element) => element is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;
}
