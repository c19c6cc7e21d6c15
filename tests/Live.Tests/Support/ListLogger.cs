using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Isolation.Live.Tests;

/// <summary>Keeps what is logged from a level on; warnings, where none is given.</summary>
internal sealed class ListLogger(LogLevel minimum = LogLevel.Warning) : ILogger
{
    internal ConcurrentQueue<(LogLevel Level, string Text)> Entries { get; } = new();

    internal ConcurrentQueue<LogRecord> Records { get; } = new();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= minimum;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        string text = formatter(state, exception);
        Entries.Enqueue((logLevel, text));
        Records.Enqueue(new(eventId, logLevel, text, ((IEnumerable<KeyValuePair<string, object?>>)state!).ToDictionary(), exception));
    }
}

/// <summary>One entry of a log with its structured properties.</summary>
internal sealed record LogRecord(EventId Event, LogLevel Level, string Text, Dictionary<string, object?> Properties, Exception? Exception);
