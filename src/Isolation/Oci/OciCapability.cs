using System.Diagnostics.CodeAnalysis;

namespace Isolation;

/// <summary>Capabilities by the names of the kernel's headers.</summary>
internal static class OciCapability
{
    private const string Prefix = "CAP_";

    /// <summary>As <c>CAP_NET_ADMIN</c>.</summary>
    internal static string NameOf(Capability capability) =>
        Prefix + string.Concat(capability.ToString().Select((letter, i) => i > 0 && char.IsUpper(letter) ? "_" + letter : letter.ToString())).ToUpperInvariant();

    /// <summary>Whether a text is a name of a capability, known or not: no number, and no list.</summary>
    internal static bool IsName([NotNullWhen(true)] string? text) =>
        text is not null && text.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase) && text.Length > Prefix.Length && char.IsAsciiLetter(text[Prefix.Length]) && text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter == '_');

    /// <returns>Null for a name that is not known here.</returns>
    internal static Capability? Parse(string name) =>
        IsName(name) && Enum.TryParse(name[Prefix.Length..].Replace("_", "", StringComparison.Ordinal), ignoreCase: true, out Capability capability) ? capability : null;
}
