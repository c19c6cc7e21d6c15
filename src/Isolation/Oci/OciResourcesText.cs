using System.Text.Json;

namespace Isolation;

/// <summary>
/// The object <c>linux.resources</c> as engines mean it: what they leave open they write as 0 or "", which every runtime reads as unset, and a literal limit of
/// nothing would let no container live.
/// </summary>
internal static class OciResourcesText
{
    private static readonly HashSet<string> Kinds = ["memory", "cpu", "pids", "blockIO"];

    /// <summary>What the specification still has and no kernel any more: cfq's weights (Linux 5.0), a hierarchy that is not counted as one (5.11), a limit of kernel memory (6.1).</summary>
    private static readonly HashSet<string> Gone = ["leafWeight", "useHierarchy", "kernel"];

    /// <exception cref="FormatException">It is no object.</exception>
    internal static string Read(OciNode resources) => OciJson.Write(writer =>
    {
        writer.WriteStartObject();
        foreach ((string name, OciNode value) in resources.Members())
        {
            writer.WritePropertyName(name);
            if (Kinds.Contains(name) && value.Element.ValueKind == JsonValueKind.Object) WriteSet(writer, value);
            else value.Element.WriteTo(writer);
        }

        writer.WriteEndObject();
    });

    private static void WriteSet(Utf8JsonWriter writer, OciNode node)
    {
        writer.WriteStartObject();
        foreach ((string name, OciNode value) in node.Members())
        {
            bool unset = name != "swappiness" && (value.Element.ValueKind == JsonValueKind.Number ? value.Element.GetRawText() == "0" : value.Element.ValueKind == JsonValueKind.String && value.Element.GetString()!.Length == 0);
            if (Gone.Contains(name)) continue;
            if (unset && name != "limit" | node.Path.EndsWith(".memory", StringComparison.Ordinal)) continue;
            writer.WritePropertyName(name);
            if (unset) writer.WriteNumberValue(-1);
            else if (value.Element.ValueKind == JsonValueKind.Array) WriteArray(writer, value.Element);
            else value.Element.WriteTo(writer);
        }

        writer.WriteEndObject();
    }

    private static void WriteArray(Utf8JsonWriter writer, JsonElement array)
    {
        writer.WriteStartArray();
        foreach (JsonElement item in array.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Object)
            {
                item.WriteTo(writer);
                continue;
            }

            writer.WriteStartObject();
            foreach (JsonProperty member in item.EnumerateObject().Where(member => !Gone.Contains(member.Name))) member.WriteTo(writer);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }
}
