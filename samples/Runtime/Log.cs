using System.Globalization;
using System.Text.Json;

namespace Isolation.Samples.Runtime;

/// <summary>Where errors are told: on the error stream, and in the file of <c>--log</c>, which engines read.</summary>
internal sealed class Log(string? path, bool json)
{
    internal void Error(string message)
    {
        string time = DateTime.UtcNow.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
        Console.Error.WriteLine("isolation-runtime: " + message);
        if (path is null) return;
        try
        {
            File.AppendAllText(path, (json ? Json(message, time) : $"time=\"{time}\" level=error msg=\"{message.Replace("\"", "\\\"", StringComparison.Ordinal)}\"") + "\n");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine("isolation-runtime: " + exception.Message);
        }
    }

    private static string Json(string message, string time) => JsonText.Of(writer =>
    {
        writer.WriteString("level", "error");
        writer.WriteString("msg", message);
        writer.WriteString("time", time);
    });
}
