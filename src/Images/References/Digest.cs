using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Isolation.Images;

/// <summary>
/// The name of content by what it is: <c>sha256:</c> and 64 digits (OCI image-spec 1.1, descriptor.md, "Digests").
/// Immutable; equal by its text.
/// </summary>
public sealed record Digest
{
    private const string Sha256 = "sha256", Sha512 = "sha512", Blake3 = "blake3";

    internal static readonly SearchValues<char> Hexadecimal = SearchValues.Create("0123456789abcdef");

    private static readonly SearchValues<char> Encodable = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789=_-");

    private Digest(string algorithm, string encoded) => (Algorithm, Encoded) = (algorithm, encoded);

    /// <summary>How it is made: <c>sha256</c>, <c>sha512</c>, or another that the specification's grammar allows.</summary>
    public string Algorithm { get; }

    /// <summary>What came of it; lowercase hexadecimal digits for the registered algorithms.</summary>
    public string Encoded { get; }

    /// <summary>Whether content can be checked against it here.</summary>
    public bool CanVerify => Algorithm is Sha256 or Sha512;

    /// <summary>The SHA-256 of nothing.</summary>
    internal static Digest Empty { get; } = Of([]);

    /// <summary>The SHA-256 of content.</summary>
    public static Digest Of(ReadOnlySpan<byte> content) => new(Sha256, Convert.ToHexStringLower(SHA256.HashData(content)));

    /// <exception cref="FormatException">It is no digest; the message says why.</exception>
    public static Digest Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return WhyNot(text, out Digest? digest) is { } why ? throw new FormatException($"'{text}' is no digest: {why}.") : digest!;
    }

    /// <summary>False where it is no digest.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out Digest? digest)
    {
        digest = null;
        return text is not null && WhyNot(text, out digest) is null;
    }

    /// <summary><c>algorithm:encoded</c>.</summary>
    public override string ToString() => $"{Algorithm}:{Encoded}";

    /// <exception cref="NotSupportedException">The algorithm is not one that can be checked here.</exception>
    internal IncrementalHash StartHash() => Algorithm switch
    {
        Sha256 => IncrementalHash.CreateHash(HashAlgorithmName.SHA256),
        Sha512 => IncrementalHash.CreateHash(HashAlgorithmName.SHA512),
        _ => throw new NotSupportedException($"Content cannot be checked against '{this}': the algorithms are sha256 and sha512."),
    };

    /// <summary>What a hash that <see cref="StartHash"/> began has come to.</summary>
    internal Digest Finish(IncrementalHash hash) => new(Algorithm, Convert.ToHexStringLower(hash.GetHashAndReset()));

    private static string? WhyNot(string text, out Digest? digest)
    {
        digest = null;
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0) return "it is ALGORITHM:ENCODED, such as sha256 and 64 digits";
        string algorithm = text[..colon], encoded = text[(colon + 1)..];
        if (!IsAlgorithm(algorithm)) return "the algorithm is of a-z and 0-9, with '+', '.', '_' or '-' between";
        int length = algorithm switch { Sha256 or Blake3 => 64, Sha512 => 128, _ => 0 };
        if (length > 0 && (encoded.Length != length || encoded.AsSpan().ContainsAnyExcept(Hexadecimal))) return $"after {algorithm} come {length} digits of 0-9 and a-f, and not {encoded.Length} characters";
        if (length == 0 && (encoded.Length == 0 || encoded.AsSpan().ContainsAnyExcept(Encodable))) return "what is encoded is of a-z, A-Z, 0-9, '=', '_' and '-'";
        digest = new(algorithm, encoded);
        return null;
    }

    private static bool IsAlgorithm(string text)
    {
        bool between = true; // a component may not be empty
        foreach (char letter in text)
        {
            bool separates = letter is '+' or '.' or '_' or '-';
            if (separates ? between : !char.IsAsciiLetterLower(letter) && !char.IsAsciiDigit(letter)) return false;
            between = separates;
        }

        return !between;
    }
}
