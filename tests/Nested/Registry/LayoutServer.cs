using System.Globalization;
using System.Text.Json;

namespace Isolation.Nested;

/// <summary>The part of a registry that pulls need, over the first image of an OCI layout: whatever is asked for is that.</summary>
internal sealed class LayoutServer : IAsyncDisposable
{
    private readonly LoopbackServer _server;

    internal LayoutServer(string layout) => _server = new(exchange => AnswerAsync(exchange, layout));

    internal string Address => _server.Address;

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private static async Task AnswerAsync(Exchange exchange, string layout)
    {
        string name = exchange.Target.Split('/')[^1];
        using JsonDocument index = JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Join(layout, "index.json"), exchange.Ended));
        JsonElement manifest = index.RootElement.GetProperty("manifests")[0];
        string digest = exchange.Target.Contains("/manifests/", StringComparison.Ordinal) ? manifest.GetProperty("digest").GetString()! : name;
        byte[] blob = await File.ReadAllBytesAsync(Path.Join(layout, "blobs", digest.Replace(':', '/')), exchange.Ended);
        (string, string)[] headers = [("Docker-Content-Digest", digest), ("Content-Type", exchange.Target.Contains("/manifests/", StringComparison.Ordinal) ? manifest.GetProperty("mediaType").GetString()! : "application/octet-stream")];
        if (exchange.Method == "HEAD")
        {
            await exchange.AnswerAsync(200, (byte[]?)null, [.. headers, ("Content-Length", blob.Length.ToString(CultureInfo.InvariantCulture))]);
        }
        else if (exchange.Headers.GetValueOrDefault("Range") is { } range)
        {
            int from = int.Parse(range["bytes=".Length..].TrimEnd('-'), CultureInfo.InvariantCulture);
            await exchange.AnswerAsync(206, blob[from..], [.. headers, ("Content-Range", $"bytes {from}-{blob.Length - 1}/{blob.Length}")]);
        }
        else
        {
            await exchange.AnswerAsync(200, blob, headers);
        }
    }
}
