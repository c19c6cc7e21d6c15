using System.Net;
using System.Text;
using System.Text.Json;

namespace Isolation.Images;

/// <summary>What a server answers, and what that means where it is not what was asked for.</summary>
internal static class RegistryAnswers
{
    private const int LongestRefusal = 64 << 10;
    private const string NameUnknown = "NAME_UNKNOWN";

    /// <summary>The whole of a body that is small.</summary>
    /// <exception cref="ImageException">It is not.</exception>
    /// <exception cref="HttpRequestException">It broke off.</exception>
    internal static async Task<byte[]> ReadAsync(HttpResponseMessage response, int longest, CancellationToken cancellationToken)
    {
        if (response.Content.Headers.ContentLength > longest) throw TooLarge(response, longest);
        Stream body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await using (body.ConfigureAwait(false))
        {
            using MemoryStream content = new();
            byte[] buffer = new byte[16 << 10];
            while (await body.ReadAsync(buffer, cancellationToken).ConfigureAwait(false) is > 0 and int count)
            {
                if (content.Length + count > longest) throw TooLarge(response, longest);
                content.Write(buffer, 0, count);
            }

            return content.ToArray();
        }
    }

    /// <summary>Why a server has not done what it was asked to.</summary>
    /// <param name="response">Not a success; disposed.</param>
    /// <param name="what">What was asked, as a sentence that says that it is not to be had.</param>
    /// <param name="cancellationToken">Ends it.</param>
    internal static async Task<ImageException> RefusalAsync(HttpResponseMessage response, string what, CancellationToken cancellationToken)
    {
        using (response)
        {
            try
            {
                return Refusal(response, await ReadAsync(response, LongestRefusal, cancellationToken).ConfigureAwait(false), what);
            }
            catch (Exception exception) when (exception is HttpRequestException or IOException or ImageException)
            {
                return Refusal(response, default, what);
            }
        }
    }

    /// <inheritdoc cref="RefusalAsync"/>
    internal static ImageException Refusal(HttpResponseMessage response, ReadOnlyMemory<byte> body, string what)
    {
        (string? code, string words) = Read(body);
        string status = $"{(int)response.StatusCode} {RegistryText.Shown(response.ReasonPhrase ?? "")}".TrimEnd();
        ImageErrorReason reason = response.StatusCode switch
        {
            HttpStatusCode.Unauthorized => ImageErrorReason.Unauthorized,
            HttpStatusCode.Forbidden => ImageErrorReason.Denied,
            HttpStatusCode.NotFound when code == NameUnknown => ImageErrorReason.RepositoryNotFound,
            HttpStatusCode.NotFound => ImageErrorReason.NotFound,
            HttpStatusCode.MethodNotAllowed or HttpStatusCode.NotImplemented => ImageErrorReason.NotSupported,
            HttpStatusCode.TooManyRequests => ImageErrorReason.Throttled,
            _ => ImageErrorReason.RegistryFailed,
        };
        string? remedy = reason switch
        {
            ImageErrorReason.Unauthorized => "log in (docker login, podman login), or give credentials with RegistryOptions.Credentials",
            ImageErrorReason.Denied => "use an account that may do this",
            ImageErrorReason.Throttled => response.Headers.RetryAfter is { } after ? $"try again after {RegistryText.Shown(after.ToString())}{(after.Delta is null ? "" : " s")}, or with an account that may do more" : "try again later, or with an account that may do more",
            _ when response.StatusCode == HttpStatusCode.RequestEntityTooLarge => "send less at once, with PushOptions.ChunkSize",
            _ => null,
        };
        return new(reason, words.Length == 0 ? $"{what}: {status}" : $"{what}: {status}, {words}", remedy: remedy);
    }

    /// <summary>The list of errors that a registry sends (distribution-spec, "Error Codes"), or the first words of what it sends instead.</summary>
    private static (string? Code, string Words) Read(ReadOnlyMemory<byte> body)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(body);
            if (document.RootElement is { ValueKind: JsonValueKind.Object } root && root.TryGetProperty("errors", out JsonElement errors) && errors is { ValueKind: JsonValueKind.Array } && errors.GetArrayLength() > 0)
            {
                string[] said = [.. errors.EnumerateArray().Select(error => string.Join(": ", ((string[])["code", "message"]).Select(name => Text(error, name)).Where(text => text.Length > 0)))];
                return (Text(errors[0], "code"), RegistryText.Shown(string.Join("; ", said)));
            }

            return (null, RegistryText.Shown(Text(document.RootElement, "details") is { Length: > 0 } details ? details : Text(document.RootElement, "message")));
        }
        catch (JsonException)
        {
            string text = Encoding.UTF8.GetString(body.Span).Trim();
            return (null, text.StartsWith('<') ? "" : RegistryText.Shown(text));
        }
    }

    private static string Text(JsonElement element, string name) =>
        element is { ValueKind: JsonValueKind.Object } && element.TryGetProperty(name, out JsonElement member) && member is { ValueKind: JsonValueKind.String } ? member.GetString()! : "";

    private static ImageException TooLarge(HttpResponseMessage response, int longest) =>
        new(ImageErrorReason.TooLarge, $"'{response.RequestMessage?.RequestUri?.GetLeftPart(UriPartial.Path)}' has more than the {longest} bytes that are read at most");
}
