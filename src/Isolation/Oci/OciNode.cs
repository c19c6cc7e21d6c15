using System.Text.Json;

namespace Isolation;

/// <summary>A place in a JSON document with its path, so that an error can say where it is.</summary>
internal readonly struct OciNode(JsonElement element, string path)
{
    internal JsonElement Element { get; } = element;

    /// <summary>As <c>$.linux.namespaces[0].type</c>.</summary>
    internal string Path { get; } = path;

    internal FormatException Bad(string reason) => new($"{Path}: {reason}");

    /// <summary>A member; null where it is missing or null.</summary>
    internal OciNode? Find(string name) =>
        Object().TryGetProperty(name, out JsonElement found) && found.ValueKind != JsonValueKind.Null ? new(found, $"{Path}.{name}") : null;

    internal OciNode Get(string name) => Find(name) ?? throw Bad($"'{name}' is missing");

    internal string Text() => Element.ValueKind == JsonValueKind.String ? Element.GetString()! : throw Wrong("a string");

    internal bool Flag() => Element.ValueKind switch { JsonValueKind.True => true, JsonValueKind.False => false, _ => throw Wrong("true or false") };

    internal long Number(long least = long.MinValue, long most = long.MaxValue)
    {
        if (Element.ValueKind != JsonValueKind.Number) throw Wrong("a number");
        if (!Element.TryGetInt64(out long value)) throw Bad($"{Element.GetRawText()} is not a whole number, or too large");
        return value >= least && value <= most ? value : throw Bad($"{value} is not between {least} and {most}");
    }

    internal ulong Unsigned()
    {
        if (Element.ValueKind != JsonValueKind.Number) throw Wrong("a number");
        return Element.TryGetUInt64(out ulong value) ? value : throw Bad($"{Element.GetRawText()} is not a whole number of 0 to {ulong.MaxValue}");
    }

    internal uint Id() => (uint)Number(0, uint.MaxValue);

    internal IEnumerable<OciNode> Items()
    {
        if (Element.ValueKind != JsonValueKind.Array) throw Wrong("an array");
        string path = Path;
        return [.. Element.EnumerateArray().Select((item, i) => new OciNode(item, $"{path}[{i}]"))];
    }

    internal IEnumerable<(string Name, OciNode Value)> Members()
    {
        string path = Path;
        return [.. Object().EnumerateObject().Select(member => (member.Name, new OciNode(member.Value, $"{path}.{member.Name}")))];
    }

    internal string[] Texts() => [.. Items().Select(item => item.Text())];

    /// <summary>Runs what throws about a value, and says where the value is.</summary>
    internal T Checked<T>(Func<OciNode, T> read)
    {
        try
        {
            return read(this);
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException && !exception.Message.StartsWith('$'))
        {
            throw Bad(exception.Message);
        }
    }

    private JsonElement Object() => Element.ValueKind == JsonValueKind.Object ? Element : throw Wrong("an object");

    private FormatException Wrong(string wanted) => Bad($"it is to be {wanted}, and is {Element.ValueKind switch { JsonValueKind.True or JsonValueKind.False => "true or false", JsonValueKind.Null => "null", JsonValueKind.Number => "a number", JsonValueKind.String => "a string", JsonValueKind.Array => "an array", _ => "an object" }}");
}

/// <summary>Members that may be missing.</summary>
internal static class OciNodes
{
    internal static OciNode? Find(this OciNode? node, string name) => node?.Find(name);

    internal static string? Text(this OciNode? node) => node?.Text();

    internal static bool Flag(this OciNode? node) => node?.Flag() ?? false;

    internal static string[] Texts(this OciNode? node) => node?.Texts() ?? [];

    internal static IEnumerable<OciNode> Items(this OciNode? node) => node?.Items() ?? [];

    internal static IEnumerable<(string Name, OciNode Value)> Members(this OciNode? node) => node?.Members() ?? [];
}
