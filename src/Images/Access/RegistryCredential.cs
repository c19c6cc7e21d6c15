namespace Isolation.Images;

/// <summary>Who asks a registry. Immutable; its text has no secret in it.</summary>
public sealed class RegistryCredential
{
    private RegistryCredential(string? userName, string? password, string? identityToken, string? registryToken) =>
        (UserName, Password, IdentityToken, RegistryToken) = (userName, password, identityToken, registryToken);

    /// <summary>Null where it is a token.</summary>
    public string? UserName { get; }

    internal string? Password { get; }

    /// <summary>What a token server gives a token for (OAuth 2's refresh token).</summary>
    internal string? IdentityToken { get; }

    /// <summary>What the registry itself takes.</summary>
    internal string? RegistryToken { get; }

    /// <summary>A name and a password, for the registry (RFC 7617) or for the token server that it names.</summary>
    /// <exception cref="ArgumentException">The name is empty, or has a colon.</exception>
    public static RegistryCredential OfUser(string userName, string password)
    {
        ArgumentException.ThrowIfNullOrEmpty(userName);
        ArgumentNullException.ThrowIfNull(password);
        if (userName.Contains(':', StringComparison.Ordinal)) throw new ArgumentException("A user name has no colon: what is before it would be the name, and what follows the password (RFC 7617).", nameof(userName));
        return new(userName, password, null, null);
    }

    /// <summary>A token that the token server gives others for, as <c>docker login</c> keeps it.</summary>
    public static RegistryCredential OfIdentityToken(string token)
    {
        ArgumentException.ThrowIfNullOrEmpty(token);
        return new(null, null, token, null);
    }

    /// <summary>A token for the registry itself (RFC 6750).</summary>
    public static RegistryCredential OfRegistryToken(string token)
    {
        ArgumentException.ThrowIfNullOrEmpty(token);
        return new(null, null, null, token);
    }

    /// <summary>Whose it is, and of which kind.</summary>
    public override string ToString() => UserName is not null ? $"the user '{UserName}'" : IdentityToken is not null ? "an identity token" : "a registry token";
}
