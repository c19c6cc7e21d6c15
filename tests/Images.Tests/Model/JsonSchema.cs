using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Isolation.Images.Tests;

/// <summary>As much of JSON Schema, draft 4, as the schemas of image-spec and runtime-spec use. A keyword that it does not know is a failure.</summary>
internal sealed class JsonSchema(string directory)
{
    private readonly Dictionary<string, JsonNode> _files = [];

    /// <summary>Those of a directory beside the checkout, which is not there everywhere.</summary>
    internal static JsonSchema OfShared(string name) => new(Shared("oci/" + name));

    internal static string Shared(string name)
    {
        for (string? at = AppContext.BaseDirectory; at is not null; at = Path.GetDirectoryName(at))
            if (Path.Join(at, "shared", name) is { } path && Path.Exists(path)) return path;
        Assert.Skip($"there is no shared/{name} beside the checkout");
        return "";
    }

    /// <summary>What does not hold, with where; nothing where all does.</summary>
    internal IReadOnlyList<string> Problems(string file, JsonNode? value)
    {
        List<string> problems = [];
        Check(file, Read(file), value, "", problems);
        return problems;
    }

    private JsonNode Read(string file) => _files.TryGetValue(file, out JsonNode? read) ? read : _files[file] = JsonNode.Parse(File.ReadAllText(Path.Join(directory, file)))!;

    private void Check(string file, JsonNode schema, JsonNode? value, string path, List<string> problems)
    {
        foreach ((string keyword, JsonNode? rule) in schema.AsObject())
        {
            string? problem = keyword switch
            {
                "description" or "$schema" or "id" or "definitions" or "media" => null,
                "$ref" => Refer(file, (string)rule!, value, path, problems),
                "type" => IsOfType((string)rule!, value) ? null : $"is no {rule}",
                "minimum" => !IsNumber(value) || (decimal)value!.GetValue<System.Text.Json.JsonElement>().GetDouble() >= (decimal)Math.Max((double)rule!, -7e27) ? null : $"is below {rule}",
                "maximum" => !IsNumber(value) || value!.GetValue<System.Text.Json.JsonElement>().GetDouble() <= (double)rule! ? null : $"is above {rule}",
                "enum" => rule!.AsArray().Any(one => JsonNode.DeepEquals(one, value)) ? null : $"is none of {rule}",
                "pattern" => Text(value) is not { } text || Regex.IsMatch(text, (string)rule!) ? null : $"is not as {rule}",
                "format" => Text(value) is not { } text || IsOfFormat((string)rule!, text) ? null : $"is no {rule}",
                "minItems" => value is not JsonArray array || array.Count >= (int)rule! ? null : $"has fewer than {rule} items",
                "required" => value is not JsonObject thing ? null : rule!.AsArray().FirstOrDefault(name => !thing.ContainsKey((string)name!)) is { } missing ? $"lacks {missing}" : null,
                "items" => Each(file, rule!, value, path, problems),
                "properties" => Properties(file, rule!, value, path, (name, key) => name == key, problems),
                "patternProperties" => Properties(file, rule!, value, path, (name, pattern) => Regex.IsMatch(name, pattern), problems),
                "oneOf" => rule!.AsArray().Count(one => Holds(file, one!, value, path)) == 1 ? null : "is not one of what it may be",
                "anyOf" => rule!.AsArray().Any(one => Holds(file, one!, value, path)) ? null : "is none of what it may be",
                "allOf" => rule!.AsArray().All(one => Holds(file, one!, value, path)) ? null : "is not all that it must be",
                "additionalProperties" => Additional(file, schema.AsObject(), rule!, value, path, problems),
                _ => $"has the keyword '{keyword}', which this check does not know",
            };
            if (problem is not null) problems.Add($"{path} {problem}: {value?.ToJsonString() ?? "null"}");
        }
    }

    private bool Holds(string file, JsonNode schema, JsonNode? value, string path)
    {
        List<string> problems = [];
        Check(file, schema, value, path, problems);
        return problems.Count == 0;
    }

    private string? Refer(string file, string reference, JsonNode? value, string path, List<string> problems)
    {
        string[] parts = reference.Split('#');
        if (parts[0].Length > 0) file = parts[0];
        JsonNode schema = Read(file);
        foreach (string step in (parts.Length > 1 ? parts[1] : "").Split('/', StringSplitOptions.RemoveEmptyEntries)) schema = schema[step] ?? throw new InvalidDataException($"{reference} leads nowhere");
        Check(file, schema, value, path, problems);
        return null;
    }

    private string? Each(string file, JsonNode schema, JsonNode? value, string path, List<string> problems)
    {
        for (int i = 0; value is JsonArray array && i < array.Count; i++) Check(file, schema, array[i], $"{path}/{i}", problems);
        return null;
    }

    private string? Properties(string file, JsonNode schemas, JsonNode? value, string path, Func<string, string, bool> bears, List<string> problems)
    {
        foreach ((string key, JsonNode? schema) in schemas.AsObject())
            foreach ((string name, JsonNode? member) in (value as JsonObject)?.Where(member => bears(member.Key, key)) ?? [])
                Check(file, schema!, member, $"{path}/{name}", problems);
        return null;
    }

    private string? Additional(string file, JsonObject schema, JsonNode rule, JsonNode? value, string path, List<string> problems)
    {
        foreach ((string name, JsonNode? member) in value as JsonObject ?? [])
        {
            if (schema["properties"]?.AsObject().ContainsKey(name) == true || (schema["patternProperties"]?.AsObject().Any(pattern => Regex.IsMatch(name, pattern.Key)) ?? false)) continue;
            if (rule.GetValueKind() == System.Text.Json.JsonValueKind.False) return $"may not have {name}";
            if (rule is JsonObject) Check(file, rule, member, $"{path}/{name}", problems);
        }

        return null;
    }

    private static bool IsOfType(string type, JsonNode? value) => type switch
    {
        "null" => value is null,
        "object" => value is JsonObject,
        "array" => value is JsonArray,
        "string" => Text(value) is not null,
        "integer" => IsNumber(value) && value!.GetValue<System.Text.Json.JsonElement>()is { } number && (number.TryGetInt64(out _) || number.TryGetUInt64(out _)),
        "boolean" => value?.GetValueKind() is System.Text.Json.JsonValueKind.True or System.Text.Json.JsonValueKind.False,
        _ => false,
    };

    private static bool IsOfFormat(string format, string text) => format switch
    {
        "date-time" => Regex.IsMatch(text, @"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"),
        "uri" => Uri.TryCreate(text, UriKind.Absolute, out _),
        _ => false,
    };

    private static bool IsNumber(JsonNode? value) => value?.GetValueKind() == System.Text.Json.JsonValueKind.Number;

    private static string? Text(JsonNode? value) => value?.GetValueKind() == System.Text.Json.JsonValueKind.String ? (string)value! : null;
}
