using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;

namespace Isolation.Tests;

/// <summary>The ids of log messages are a promise: the table of the guide and the code say the same.</summary>
public sealed partial class ObservabilityGuideTests
{
    [Fact]
    public void The_table_of_log_messages_is_the_codes()
    {
        IEnumerable<(int Id, string Name, LogLevel Level)> declared = new[] { typeof(LaunchLog), typeof(LifeLog) }
            .SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.NonPublic))
            .Select(method => (Method: method, Message: method.GetCustomAttribute<LoggerMessageAttribute>()))
            .Where(pair => pair.Message is not null)
            .Select(pair => (pair.Message!.EventId, pair.Message.EventName ?? pair.Method.Name, pair.Message.Level))
            .OrderBy(message => message.EventId);
        IEnumerable<(int Id, string Name, LogLevel Level)> documented = File.ReadAllLines(SourceTree.PathOf("docs/guide/observability.md"))
            .Select(line => Row().Match(line)).Where(match => match.Success)
            .Select(match => (int.Parse(match.Groups[1].Value), match.Groups[2].Value, Enum.Parse<LogLevel>(match.Groups[3].Value)));

        Assert.NotEmpty(declared);
        Assert.Equal(declared, documented);
    }

    [GeneratedRegex(@"^\| (\d+) \| `(\w+)` \| (\w+) \|")]
    private static partial Regex Row();
}
