using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Isolation.Benchmarks;

/// <summary>Stands before a registry as if it were far away: each request waits, and all answers together come with a bounded number of bytes a second.</summary>
internal sealed class SlowProxy : IAsyncDisposable
{
    private const int Piece = 16 << 10;
    private const double Slack = 0.05; // what a timer was late by is made up for
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _ended = new();
    private readonly int _port;
    private readonly TimeSpan _wait;
    private readonly double _bytesASecond;
    private readonly Lock _pacing = new();
    private double _free; // when the line is free again, in seconds

    /// <param name="port">Of the registry.</param>
    /// <param name="wait">Before each answer.</param>
    /// <param name="bytesASecond">Of all answers together; 0 for as many as come.</param>
    internal SlowProxy(int port, TimeSpan wait, double bytesASecond)
    {
        (_port, _wait, _bytesASecond) = (port, wait, bytesASecond);
        _listener.Start();
        _ = AcceptAsync();
    }

    internal int Requests { get; private set; }

    internal string Authority => _listener.LocalEndpoint.ToString()!;

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        _listener.Stop();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true) _ = ServeAsync(await _listener.AcceptTcpClientAsync(_ended.Token));
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
                using TcpClient server = new();
                await server.ConnectAsync(IPAddress.Loopback, _port, _ended.Token);
                client.NoDelay = server.NoDelay = true;
                await using NetworkStream near = client.GetStream(), far = server.GetStream();
                while (await HeadAsync(near) is { Length: > 0 } request)
                {
                    Requests++;
                    await Task.Delay(_wait, _ended.Token);
                    await far.WriteAsync(request, _ended.Token);
                    byte[] answer = await HeadAsync(far);
                    await near.WriteAsync(answer, _ended.Token);
                    if (!Encoding.ASCII.GetString(request).StartsWith("HEAD ", StringComparison.Ordinal)) await PassAsync(far, near, LengthOf(answer));
                }
            }
        }
        catch (Exception exception) when (exception is IOException or SocketException or OperationCanceledException)
        {
            // Whoever asked has gone.
        }
    }

    private async Task PassAsync(NetworkStream from, NetworkStream to, long length)
    {
        byte[] piece = new byte[Piece];
        while (length > 0)
        {
            int count = await from.ReadAsync(piece.AsMemory(0, (int)Math.Min(Piece, length)), _ended.Token);
            if (count == 0) throw new IOException("The registry has broken off.");
            TimeSpan wait = Reserve(count);
            if (wait > TimeSpan.FromMilliseconds(1)) await Task.Delay(wait, _ended.Token);
            await to.WriteAsync(piece.AsMemory(0, count), _ended.Token);
            length -= count;
        }
    }

    /// <summary>How long until these bytes have come.</summary>
    private TimeSpan Reserve(int count)
    {
        if (_bytesASecond == 0) return TimeSpan.Zero;
        lock (_pacing)
        {
            double now = Stopwatch.GetTimestamp() / (double)Stopwatch.Frequency;
            _free = Math.Max(now - Slack, _free) + count / _bytesASecond;
            return TimeSpan.FromSeconds(_free - now);
        }
    }

    private static long LengthOf(byte[] head)
    {
        foreach (string line in Encoding.ASCII.GetString(head).Split("\r\n"))
            if (line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase)) return long.Parse(line["Content-Length:".Length..], CultureInfo.InvariantCulture);
        return 0;
    }

    /// <summary>Byte by byte: what follows is somebody else's to read.</summary>
    private async Task<byte[]> HeadAsync(NetworkStream stream)
    {
        List<byte> head = [];
        byte[] one = new byte[1];
        while (await stream.ReadAsync(one, _ended.Token) == 1)
        {
            head.Add(one[0]);
            if (head is [.., (byte)'\r', (byte)'\n', (byte)'\r', (byte)'\n']) break;
        }

        return [.. head];
    }
}
