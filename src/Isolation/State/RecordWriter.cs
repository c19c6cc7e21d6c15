using System.Globalization;
using System.Text;

namespace Isolation;

/// <summary>
/// Writes the lines of a record. By hand: they are all strings and numbers, and the first launch of a process would
/// wait for the serializer to be loaded and compiled, which takes longer than the launch (decision 0010).
/// </summary>
internal static class RecordWriter
{
    internal static byte[] Line(RecordHeader header)
    {
        StringBuilder text = new(512);
        text.Append("{\"version\":").Append(header.Version);
        Member(text, "id", header.Id);
        Member(text, "boot", header.Boot);
        text.Append(",\"pidNamespace\":").Append(header.PidNamespace).Append(",\"timeNamespace\":").Append(header.TimeNamespace);
        text.Append(",\"user\":").Append(header.User).Append(",\"owner\":").Append(header.Owner);
        Member(text, "started", header.Started.UtcDateTime.ToString("O", CultureInfo.InvariantCulture));
        text.Append(",\"outlivesHost\":").Append(header.OutlivesHost ? "true" : "false").Append(",\"command\":[");
        for (int i = 0; i < header.Command.Count; i++)
        {
            if (i > 0) text.Append(',');
            Quoted(text, header.Command[i]);
        }

        return End(text.Append(']'));
    }

    internal static byte[] Line(RecordedResource resource)
    {
        StringBuilder text = new(128);
        text.Append("{\"kind\":");
        Quoted(text, resource.Kind);
        text.Append(",\"parameters\":{");
        string separator = "";
        foreach ((string name, string value) in resource.Parameters)
        {
            text.Append(separator);
            Quoted(text, name);
            text.Append(':');
            Quoted(text, value);
            separator = ",";
        }

        return End(text.Append('}'));
    }

    private static void Member(StringBuilder text, string name, string value)
    {
        text.Append(",\"").Append(name).Append("\":");
        Quoted(text, value);
    }

    /// <summary>A string of JSON (RFC 8259, section 7). No control character is left in it, so a line stays one.</summary>
    private static void Quoted(StringBuilder text, string value)
    {
        text.Append('"');
        foreach (char character in value)
        {
            if (character is '"' or '\\') text.Append('\\').Append(character);
            else if (character < ' ') text.Append("\\u00").Append("0123456789abcdef"[character >> 4]).Append("0123456789abcdef"[character & 15]);
            else text.Append(character);
        }

        text.Append('"');
    }

    // Half of a surrogate pair becomes U+FFFD.
    private static byte[] End(StringBuilder text) => Encoding.UTF8.GetBytes(text.Append("}\n").ToString());
}
