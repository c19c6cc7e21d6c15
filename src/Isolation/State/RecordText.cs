using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Isolation;

/// <summary>
/// A record as text: one line of JSON for the header, and one for each thing that was made. Lines are only ever added,
/// and a line counts once its newline is there: what is behind the last newline was being written when its writer died.
/// </summary>
internal static class RecordText
{
    /// <summary>Characters of a command that are kept, over all arguments.</summary>
    internal const int LongestCommand = 1024;

    /// <summary>The beginning of a command, with "…" where it was cut.</summary>
    internal static IReadOnlyList<string> Bounded(IReadOnlyList<string> command)
    {
        List<string> kept = [];
        int left = LongestCommand;
        foreach (string argument in command)
        {
            if (argument.Length <= left)
            {
                kept.Add(argument);
                left -= argument.Length + 1;
                continue;
            }

            kept.Add(string.Concat(argument.AsSpan(0, Math.Max(0, left)), "…"));
            break;
        }

        return kept;
    }

    /// <summary>Reads a whole file.</summary>
    /// <param name="text">Its bytes.</param>
    /// <param name="problem">What is wrong with a line that names a thing, in words; null where nothing is.</param>
    internal static RecordContent Parse(ReadOnlySpan<byte> text, Func<RecordedResource, (RecordCondition Condition, string Problem)?> problem)
    {
        int end = text.LastIndexOf((byte)'\n');
        if (end < 0) return new(RecordCondition.Empty, null, [], null);
        RecordHeader? header = null;
        List<RecordedResource> resources = [];
        int number = 0;
        foreach (Range range in text[..end].Split((byte)'\n'))
        {
            ReadOnlySpan<byte> line = text[range];
            number++;
            try
            {
                if (header is null)
                {
                    int version = Read(line, RecordJson.Default.RecordVersion).Version;
                    if (version > RecordHeader.CurrentVersion)
                        return new(RecordCondition.Newer, null, [], $"it has version {version} of the format, and this library knows {RecordHeader.CurrentVersion}");
                    header = Read(line, RecordJson.Default.RecordHeader);
                    if (header.Version < 1 || header.Command.Any(argument => argument is null)) return Damaged(number, "a value that cannot be");
                    continue;
                }

                RecordedResource resource = Read(line, RecordJson.Default.RecordedResource);
                if (problem(resource) is { } found) return new(found.Condition, header, [], found.Problem);
                resources.Add(resource);
            }
            catch (JsonException exception)
            {
                return Damaged(number, exception.Message);
            }
        }

        return new(RecordCondition.Complete, header, resources, null);
    }

    private static RecordContent Damaged(int line, string why) => new(RecordCondition.Damaged, null, [], $"line {line} cannot be read: {why}");

    private static T Read<T>(ReadOnlySpan<byte> line, JsonTypeInfo<T> type)
        where T : class => JsonSerializer.Deserialize(line, type) ?? throw new JsonException("it is null");
}

/// <summary>What a record turned out to be.</summary>
internal enum RecordCondition
{
    /// <summary>Its first line is not complete, so nothing had been made.</summary>
    Empty,

    /// <summary>All complete lines were read.</summary>
    Complete,

    /// <summary>A complete line makes no sense.</summary>
    Damaged,

    /// <summary>A newer version of this library has written it.</summary>
    Newer,
}

/// <summary>What was read of a record.</summary>
/// <param name="Condition">Whether it can be used.</param>
/// <param name="Header">Its first line, where it can be used.</param>
/// <param name="Resources">What was made, in the order in which it was.</param>
/// <param name="Problem">Why it cannot be used.</param>
internal sealed record RecordContent(RecordCondition Condition, RecordHeader? Header, IReadOnlyList<RecordedResource> Resources, string? Problem);
