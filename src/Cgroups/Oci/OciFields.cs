using System.Text.Json;

namespace Isolation.Cgroups;

/// <summary>
/// An object of the specification, its fields by their names. Not a serializer's metadata of each type: that is 5 ms of a command that lives for 30.
/// </summary>
internal sealed class OciFields
{
    private readonly JsonElement _object;
    private readonly string _path;
    private readonly List<string> _known = [];

    internal OciFields(JsonElement element, string path)
    {
        _path = path;
        _object = element.ValueKind == JsonValueKind.Object ? element : throw Bad(path, "an object");
    }

    /// <summary>What was not asked for. To be read last; null where there is nothing.</summary>
    internal Dictionary<string, JsonElement>? Unknown
    {
        get
        {
            Dictionary<string, JsonElement>? unknown = null;
            foreach (JsonProperty property in _object.EnumerateObject())
                if (!_known.Contains(property.Name)) (unknown ??= [])[property.Name] = property.Value.Clone();
            return unknown;
        }
    }

    internal string? Text(string name) => Find(name) is not { } found ? null : found.ValueKind == JsonValueKind.String ? found.GetString() : throw Bad(name, "a string");

    internal bool? Flag(string name) => Find(name)?.ValueKind switch { null => null, JsonValueKind.True => true, JsonValueKind.False => false, _ => throw Bad(name, "true or false") };

    internal long? Signed(string name) =>
        Find(name) is not { } found ? null : found.ValueKind == JsonValueKind.Number && found.TryGetInt64(out long number) ? number : throw Bad(name, $"a whole number of {long.MinValue} to {long.MaxValue}");

    internal ulong? Unsigned(string name, ulong most = ulong.MaxValue) =>
        Find(name) is not { } found ? null : found.ValueKind == JsonValueKind.Number && found.TryGetUInt64(out ulong number) && number <= most ? number : throw Bad(name, $"a whole number of 0 to {most}");

    internal uint? Unsigned32(string name) => (uint?)Unsigned(name, uint.MaxValue);

    internal ushort? Unsigned16(string name) => (ushort?)Unsigned(name, ushort.MaxValue);

    internal T Required<T>(string name, T? value) where T : struct => value ?? throw Missing(name);

    internal string Required(string name, string? value) => value ?? throw Missing(name);

    internal T? Object<T>(string name, Func<OciFields, T> read) where T : class => Find(name) is { } found ? read(new(found, Path(name))) : null;

    internal List<T>? List<T>(string name, Func<OciFields, T> read)
    {
        if (Find(name) is not { } found) return null;
        if (found.ValueKind != JsonValueKind.Array) throw Bad(name, "an array");
        List<T> items = new(found.GetArrayLength());
        foreach (JsonElement item in found.EnumerateArray()) items.Add(read(new(item, $"{Path(name)}[{items.Count}]")));
        return items;
    }

    internal Dictionary<string, T>? Map<T>(string name, Func<OciFields, string, T> read)
    {
        if (Find(name) is not { } found) return null;
        OciFields fields = new(found, Path(name));
        Dictionary<string, T> map = [];
        foreach (JsonProperty property in found.EnumerateObject()) map.Add(property.Name, read(fields, property.Name));
        return map;
    }

    internal FormatException Missing(string name) => new($"linux.resources: {Path(name)} is missing.");

    private JsonElement? Find(string name)
    {
        _known.Add(name);
        return _object.TryGetProperty(name, out JsonElement found) && found.ValueKind != JsonValueKind.Null ? found : null;
    }

    private string Path(string name) => _path.Length == 0 ? name : $"{_path}.{name}";

    private FormatException Bad(string name, string wanted) => new($"linux.resources: {(ReferenceEquals(name, _path) ? name : Path(name))} is to be {wanted}.");
}
