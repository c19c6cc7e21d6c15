using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Isolation.Samples.Runtime;

/// <summary>Where errors are told: on the error stream, and in the file of <c>--log</c>, which engines read.</summary>
internal sealed class Log(string? path, bool json, bool debug)
{
    internal void Error(string message)
    {
        Console.Error.WriteLine("isolation-runtime: " + message);
        if (path is not null) Write("error", message);
    }

    internal void Warning(string message)
    {
        if (path is null) Console.Error.WriteLine("isolation-runtime: " + message);
        else Write("warning", message);
    }

    internal void Debug(string message)
    {
        if (debug) Write("debug", message);
    }

    private void Write(string level, string message)
    {
        string time = DateTime.UtcNow.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
        string line = (json ? Json(level, message, time) : $"time=\"{time}\" level={level} msg=\"{JsonEncodedText.Encode(message, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"") + "\n";
        try
        {
            if (path is null) Console.Error.Write(line);
            else File.AppendAllText(path, line);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine("isolation-runtime: " + exception.Message);
        }
    }

    private static string Json(string level, string message, string time) => JsonText.Of(writer =>
    {
        writer.WriteString("level", level);
        writer.WriteString("msg", message);
        writer.WriteString("time", time);
    });
}
