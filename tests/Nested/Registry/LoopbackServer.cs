using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Isolation.Nested;

/// <summary>A server of HTTP/1.1 on the loopback interface whose answers are written byte by byte, right or wrong.</summary>
internal sealed class LoopbackServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _ended = new();
    private readonly ConcurrentDictionary<Task, bool> _connections = [];
    private readonly Func<Exchange, Task> _answer;
    private readonly X509Certificate2? _certificate, _authority;
    private readonly Task _accepting;

    /// <param name="answer">Answers.</param>
    /// <param name="certificate">With its key, for TLS.</param>
    /// <param name="authority">Who must vouch for whoever asks.</param>
    internal LoopbackServer(Func<Exchange, Task> answer, X509Certificate2? certificate = null, X509Certificate2? authority = null)
    {
        (_answer, _certificate, _authority) = (answer, certificate, authority);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>Each request that came, as <c>METHOD target</c>.</summary>
    internal ConcurrentQueue<string> Requests { get; } = [];

    internal string Authority => _listener.LocalEndpoint.ToString()!;

    internal string Address => $"{(_certificate is null ? "http" : "https")}://{Authority}";

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        _listener.Stop();
        await _accepting;
        await Task.WhenAll(_connections.Keys);
        _ended.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                TcpClient client = await _listener.AcceptTcpClientAsync(_ended.Token);
                Task serving = ServeAsync(client);
                _connections[serving] = true;
                _ = serving.ContinueWith(done => _connections.TryRemove(done, out _), TaskScheduler.Default);
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The end.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        try
        {
            using (client)
            {
                client.NoDelay = true;
                Stream stream = client.GetStream();
                if (_certificate is not null)
                {
                    SslStream secured = new(stream);
                    await secured.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
                    {
                        ServerCertificate = _certificate, ClientCertificateRequired = _authority is not null,
                        RemoteCertificateValidationCallback = (_, shown, _, _) => _authority is null || shown?.Issuer == _authority.Subject,
                    }, _ended.Token);
                    stream = secured;
                }

                await using BufferedStream buffered = new(stream);
                while (await Exchange.ReadAsync(buffered, _ended.Token) is { } exchange)
                {
                    Requests.Enqueue($"{exchange.Method} {exchange.Target}");
                    await _answer(exchange);
                    await buffered.FlushAsync(_ended.Token);
                    if (exchange.Closes) return;
                }
            }
        }
        catch (Exception exception) when (exception is IOException or SocketException or OperationCanceledException or ObjectDisposedException or System.Security.Authentication.AuthenticationException or InvalidOperationException)
        {
            // Whoever asked has gone, or the test has ended.
        }
    }
}

/// <summary>A request, and the way to answer it.</summary>
internal sealed class Exchange
{
    private readonly Stream _stream;

    private Exchange(Stream stream, string method, string target, Dictionary<string, string> headers, byte[] body, CancellationToken ended) =>
        (_stream, Method, Target, Headers, Body, Ended) = (stream, method, target, headers, body, ended);

    internal string Method { get; }

    internal string Target { get; }

    internal Dictionary<string, string> Headers { get; }

    internal byte[] Body { get; }

    /// <summary>When the server ends.</summary>
    internal CancellationToken Ended { get; }

    /// <summary>Whether the connection ends with this answer.</summary>
    internal bool Closes { get; set; }

    internal static async Task<Exchange?> ReadAsync(Stream stream, CancellationToken ended)
    {
        string first = await LineAsync(stream, ended);
        if (first.Length == 0) return null;
        string[] words = first.Split(' ');
        Dictionary<string, string> headers = new(StringComparer.OrdinalIgnoreCase);
        while (await LineAsync(stream, ended) is { Length: > 0 } line) headers[line[..line.IndexOf(':', StringComparison.Ordinal)]] = line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim();
        byte[] body = new byte[int.Parse(headers.GetValueOrDefault("Content-Length", "0"), CultureInfo.InvariantCulture)];
        await stream.ReadExactlyAsync(body, ended);
        return new(stream, words[0], words[1], headers, body, ended);
    }

    internal async Task AnswerAsync(int status, byte[]? body = null, params (string Name, string Value)[] headers)
    {
        await HeadAsync(status, body is null && headers.Any(header => header.Name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase)) ? headers : [.. headers, ("Content-Length", $"{body?.Length ?? 0}")]);
        if (body is not null && Method != "HEAD") await WriteAsync(body);
    }

    internal Task AnswerAsync(int status, string body, params (string Name, string Value)[] headers) => AnswerAsync(status, Encoding.UTF8.GetBytes(body), headers);

    internal async Task HeadAsync(int status, params (string Name, string Value)[] headers)
    {
        StringBuilder head = new($"HTTP/1.1 {status} {(HttpStatusCode)status}\r\n");
        foreach ((string name, string value) in headers) head.Append(CultureInfo.InvariantCulture, $"{name}: {value}\r\n");
        await WriteAsync(Encoding.ASCII.GetBytes(head.Append("\r\n").ToString()));
    }

    internal async Task WriteAsync(ReadOnlyMemory<byte> bytes)
    {
        await _stream.WriteAsync(bytes, Ended);
        await _stream.FlushAsync(Ended);
    }

    private static async Task<string> LineAsync(Stream stream, CancellationToken ended)
    {
        StringBuilder line = new();
        byte[] one = new byte[1];
        while (await stream.ReadAsync(one, ended) == 1 && one[0] != (byte)'\n') line.Append((char)one[0]);
        return line.ToString().TrimEnd('\r');
    }
}
