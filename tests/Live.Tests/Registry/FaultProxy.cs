using System.Collections.Concurrent;
using Isolation.Nested;

namespace Isolation.Live.Tests;

/// <summary>Stands before a registry, and does what a test wants with some of its answers.</summary>
internal sealed class FaultProxy : IAsyncDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false });
    private readonly ConcurrentQueue<Rule> _rules = [];
    private readonly string _target;
    private readonly LoopbackServer _server;

    /// <param name="target">The address of the registry.</param>
    internal FaultProxy(string target)
    {
        _target = target;
        _server = new(AnswerAsync);
    }

    internal string Authority => _server.Authority;

    internal ConcurrentQueue<string> Requests => _server.Requests;

    internal int CountOf(string method, string part) => Requests.Count(request => request.StartsWith(method + " ", StringComparison.Ordinal) && request.Contains(part, StringComparison.Ordinal));

    /// <summary>Instead of its answer, or with it.</summary>
    /// <param name="method">Of which requests.</param>
    /// <param name="part">Of their target.</param>
    /// <param name="act">What is done; null of the answer where it was not asked for.</param>
    /// <param name="times">How often.</param>
    internal void On(string method, string part, Func<Exchange, Func<Task<Reply>>, Task> act, int times = int.MaxValue) => _rules.Enqueue(new(method, part, act, times));

    internal void Clear() => _rules.Clear();

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _http.Dispose();
    }

    private Task AnswerAsync(Exchange exchange)
    {
        foreach (Rule rule in _rules)
            if (rule.Method == exchange.Method && exchange.Target.Contains(rule.Part, StringComparison.Ordinal) && rule.Take()) return rule.Act(exchange, () => ForwardAsync(exchange));
        return PassAsync(exchange);
    }

    private async Task PassAsync(Exchange exchange)
    {
        Reply reply = await ForwardAsync(exchange);
        await exchange.AnswerAsync(reply.Status, reply.Body, [.. reply.Headers]);
    }

    private async Task<Reply> ForwardAsync(Exchange exchange)
    {
        using HttpRequestMessage request = new(new(exchange.Method), _target + exchange.Target);
        if (exchange.Body.Length > 0 || exchange.Method is "POST" or "PUT" or "PATCH") request.Content = new ByteArrayContent(exchange.Body);
        foreach ((string name, string value) in exchange.Headers)
            if (!request.Headers.TryAddWithoutValidation(name, value)) request.Content?.Headers.TryAddWithoutValidation(name, value); // the host as well: what it leads to is here
        using HttpResponseMessage response = await _http.SendAsync(request, exchange.Ended);
        byte[] body = await response.Content.ReadAsByteArrayAsync(exchange.Ended);
        List<(string, string)> headers = [];
        foreach ((string name, IEnumerable<string> values) in response.Headers.NonValidated.Concat(response.Content.Headers.NonValidated).Select(header => (header.Key, (IEnumerable<string>)header.Value)))
        {
            if (name.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase) || name.Equals("Connection", StringComparison.OrdinalIgnoreCase)) continue;
            if (name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase) && exchange.Method != "HEAD") continue;
            headers.AddRange(values.Select(value => (name, value)));
        }

        return new((int)response.StatusCode, headers, exchange.Method == "HEAD" ? null : body);
    }

    private sealed class Rule(string method, string part, Func<Exchange, Func<Task<Reply>>, Task> act, int times)
    {
        private int _left = times;

        internal string Method => method;

        internal string Part => part;

        internal Func<Exchange, Func<Task<Reply>>, Task> Act => act;

        internal bool Take() => Interlocked.Decrement(ref _left) >= 0;
    }
}

/// <summary>What a registry answered.</summary>
internal sealed record Reply(int Status, List<(string Name, string Value)> Headers, byte[]? Body);
