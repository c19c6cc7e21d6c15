using System.Globalization;

namespace Isolation;

/// <summary>Who runs the program, as asked: names are looked up in the container's own files when it starts.</summary>
internal sealed record UserSpec(string User, string? Group)
{
    /// <summary>Parses <c>user[:group]</c>, each a name or a number.</summary>
    internal static UserSpec Parse(string text)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(text);
        string[] parts = text.Split(':');
        if (parts.Length > 2 || parts.Any(string.IsNullOrEmpty) || text.AsSpan().ContainsAny('\0', '\n'))
            throw new ArgumentException($"'{text}' is not a user: write a name or number, or user:group.", nameof(text));
        foreach (string part in parts) CheckNumber(part);
        return new(parts[0], parts.Length == 2 ? parts[1] : null);
    }

    // Ids run to 2^32-2: 2^32-1 means "no change" to setresuid(2), so accepting it would run the program as root.
    private static void CheckNumber(string part)
    {
        if (!part.All(char.IsAsciiDigit)) return;
        if (!uint.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out uint id) || id == uint.MaxValue)
            throw new ArgumentException($"The id {part} is out of range: ids are 0 to 4294967294.", nameof(part));
    }

    public override string ToString() => Group is null ? User : $"{User}:{Group}";
}
