using System.Net;
using System.Net.Sockets;

namespace Isolation.Images;

/// <summary>The grammar of github.com/distribution/reference, which image-spec and distribution-spec have no other than.</summary>
internal static class ReferenceGrammar
{
    private const int LongestTag = 128, LengthOfId = 64;

    /// <summary>Why a text is no name of an image; null where it is one.</summary>
    internal static string? WhyNot(string text, out ImageReference? reference)
    {
        reference = null;
        if (text.Length == 0) return "it is empty";
        if (text.Length == LengthOfId && !text.AsSpan().ContainsAnyExcept(Digest.Hexadecimal)) return "64 hexadecimal digits are an image's id, and no name: write sha256: before them where an id may stand";
        (string rest, string? digestText) = Cut(text, text.IndexOf('@', StringComparison.Ordinal));
        int colon = rest.LastIndexOf(':');
        (string written, string? tag) = Cut(rest, colon > rest.LastIndexOf('/') ? colon : -1);
        Digest? digest = null;
        if (digestText is not null && !Digest.TryParse(digestText, out digest)) return $"after '@' comes a digest, and not '{digestText}'";
        if (tag is not null && !IsTag(tag)) return $"the tag '{tag}' is not one: a letter, a digit or '_', and at most {LongestTag - 1} more of them, '.' and '-'";
        (string domain, string path) = ImageReference.Split(written);
        if (WhyNoDomain(domain) is { } noDomain) return noDomain;
        if (WhyNoPath(path) is { } noPath) return noPath;
        reference = new(domain, path, tag, digest);
        return reference.Path.Length > ImageReference.LongestPath ? $"its path is {reference.Path.Length} characters long, and {ImageReference.LongestPath} is the most" : null;
    }

    private static (string Before, string? After) Cut(string text, int at) => at < 0 ? (text, null) : (text[..at], text[(at + 1)..]);

    private static bool IsTag(string tag) =>
        tag.Length is > 0 and <= LongestTag && IsWord(tag[0]) && tag.All(letter => IsWord(letter) || letter is '.' or '-');

    private static bool IsWord(char letter) => char.IsAsciiLetterOrDigit(letter) || letter == '_';

    private static string? WhyNoDomain(string domain)
    {
        (string host, string? port) = Cut(domain, domain.EndsWith(']') ? -1 : domain.LastIndexOf(':'));
        if (port is not null && (port.Length == 0 || !port.All(char.IsAsciiDigit) || port.Length > 5 || int.Parse(port, System.Globalization.CultureInfo.InvariantCulture) > ushort.MaxValue)) return $"'{port}' is no port";
        if (host.StartsWith('['))
            return host.EndsWith(']') && !host.Contains('%') && IPAddress.TryParse(host.AsSpan(1, host.Length - 2), out IPAddress? address) && address.AddressFamily == AddressFamily.InterNetworkV6 ? null : $"'{host}' is no address";
        return host.Split('.').All(IsLabel) ? null : $"'{host}' is no name of a host";
    }

    private static bool IsLabel(string label) =>
        label.Length > 0 && label[0] != '-' && label[^1] != '-' && label.All(letter => char.IsAsciiLetterOrDigit(letter) || letter == '-');

    private static string? WhyNoPath(string path)
    {
        foreach (string part in path.Split('/'))
        {
            if (part.Length == 0) return "a part of its path is empty";
            if (part.AsSpan().ContainsAnyInRange('A', 'Z')) return $"'{part}' has capital letters, and a repository has none";
            if (!IsComponent(part)) return $"'{part}' is no part of a path: it is of a-z and 0-9, with '.', '_', '__' or dashes between";
        }

        return null;
    }

    /// <summary><c>[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*</c></summary>
    private static bool IsComponent(string part)
    {
        for (int i = 0; ;)
        {
            int word = i;
            while (i < part.Length && (char.IsAsciiLetterLower(part[i]) || char.IsAsciiDigit(part[i]))) i++;
            if (i == word) return false;
            if (i == part.Length) return true;
            int separator = i;
            while (i < part.Length && part[i] == part[separator]) i++;
            if (!(part[separator] switch { '.' => i - separator == 1, '_' => i - separator <= 2, '-' => true, _ => false })) return false;
        }
    }
}
