using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Isolation;

/// <summary>JSON as it is written for engines and kept between commands.</summary>
internal static class OciJson
{
    internal static string Write(Action<Utf8JsonWriter> write, bool indented = false)
    {
        ArrayBufferWriter<byte> buffer = new();
        using (Utf8JsonWriter writer = new(buffer, new JsonWriterOptions { Indented = indented })) write(writer);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
