using System.Text.Json;

namespace Isolation;

/// <summary>
/// The object <c>linux.resources</c> as engines mean it: what they leave open they write as 0 or "", which every runtime reads as unset, and a literal limit of
/// nothing would let no container live.
/// </summary>
internal static class OciResourcesText
{
    private static readonly HashSet<string> Kinds = ["memory", "cpu", "pids", "blockIO"];

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
            if (unset && name != "limit" | node.Path.EndsWith(".memory", StringComparison.Ordinal)) continue;
            writer.WritePropertyName(name);
            if (unset) writer.WriteNumberValue(-1);
            else value.Element.WriteTo(writer);
        }

        writer.WriteEndObject();
    }
}
