using System.Text;

namespace Isolation.Images;

/// <summary>What a server wants to know before it answers: one challenge of a <c>WWW-Authenticate</c> header (RFC 9110, 11.6.1).</summary>
/// <param name="Scheme"><c>Bearer</c>, <c>Basic</c>, or another, as it was written.</param>
/// <param name="Parameters">Their names in small letters.</param>
internal sealed record Challenge(string Scheme, IReadOnlyDictionary<string, string> Parameters)
{
    private const int Longest = 8 << 10;

    internal string? this[string name] => Parameters.GetValueOrDefault(name);

    internal bool Is(string scheme) => Scheme.Equals(scheme, StringComparison.OrdinalIgnoreCase);

    /// <summary>All challenges of a header, in its order.</summary>
    /// <exception cref="FormatException">It does not read as the grammar says.</exception>
    internal static List<Challenge> Parse(string header)
    {
        if (header.Length > Longest) throw new FormatException($"It has {header.Length} characters.");
        List<Challenge> challenges = [];
        int at = 0;
        while (true)
        {
            Skip(header, ref at, " \t,");
            if (at == header.Length) return challenges;
            string scheme = Token(header, ref at);
            Dictionary<string, string> parameters = new(StringComparer.Ordinal);
            challenges.Add(new(scheme, parameters));
            if (at < header.Length && header[at] is not (' ' or '\t' or ',')) throw Unexpected(header, at);
            Skip(header, ref at, " \t");
            if (Token68(header, ref at)) continue;
            while (ParameterFollows(header, ref at))
            {
                string name = Token(header, ref at).ToLowerInvariant();
                Skip(header, ref at, " \t");
                at++; // the equals sign
                Skip(header, ref at, " \t");
                string value = at < header.Length && header[at] == '"' ? Quoted(header, ref at) : Token(header, ref at);
                if (!parameters.TryAdd(name, value)) throw new FormatException($"'{name}' is said twice.");
                Skip(header, ref at, " \t");
                if (at < header.Length && header[at] != ',') throw Unexpected(header, at);
            }
        }
    }

    /// <summary>Whether a name and an equals sign come next; else the next challenge does, or the end.</summary>
    private static bool ParameterFollows(string header, ref int at)
    {
        int ahead = at;
        Skip(header, ref ahead, " \t,");
        int name = ahead;
        while (ahead < header.Length && IsTokenLetter(header[ahead])) ahead++;
        int end = ahead;
        Skip(header, ref ahead, " \t");
        if (end == name || ahead == header.Length || header[ahead] != '=') return false;
        at = name;
        return true;
    }

    /// <summary>The other form that a challenge may have: nothing that is known here does.</summary>
    private static bool Token68(string header, ref int at)
    {
        int end = at;
        while (end < header.Length && (char.IsAsciiLetterOrDigit(header[end]) || "-._~+/".Contains(header[end], StringComparison.Ordinal))) end++;
        if (end == at) return false;
        while (end < header.Length && header[end] == '=') end++;
        int rest = end;
        Skip(header, ref rest, " \t");
        if (rest < header.Length && header[rest] != ',') return false;
        at = rest;
        return true;
    }

    private static string Token(string header, ref int at)
    {
        int start = at;
        while (at < header.Length && IsTokenLetter(header[at])) at++;
        return at > start ? header[start..at] : throw Unexpected(header, at);
    }

    private static string Quoted(string header, ref int at)
    {
        StringBuilder text = new();
        for (at++; at < header.Length; at++)
        {
            if (header[at] == '"')
            {
                at++;
                return text.ToString();
            }

            if (header[at] == '\\' && ++at == header.Length) break;
            text.Append(header[at]);
        }

        throw new FormatException("A quotation mark is not closed.");
    }

    private static void Skip(string header, ref int at, string letters)
    {
        while (at < header.Length && letters.Contains(header[at], StringComparison.Ordinal)) at++;
    }

    private static bool IsTokenLetter(char letter) => char.IsAsciiLetterOrDigit(letter) || "!#$%&'*+-.^_`|~".Contains(letter, StringComparison.Ordinal);

    private static FormatException Unexpected(string header, int at) => new(at < header.Length ? $"At {at} comes '{header[at]}'." : "It ends too soon.");
}
