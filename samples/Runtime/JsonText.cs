using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Isolation.Samples.Runtime;

internal static class JsonText
{
    /// <summary>One object.</summary>
    internal static string Of(Action<Utf8JsonWriter> members)
    {
        ArrayBufferWriter<byte> buffer = new();
        using (Utf8JsonWriter writer = new(buffer))
        {
            writer.WriteStartObject();
            members(writer);
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
