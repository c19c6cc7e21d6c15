using System.Globalization;

namespace Isolation.Samples.Runtime;

/// <summary>A command line as Go's flag package reads it, which runc's users write: <c>--name value</c>, <c>--name=value</c>, <c>-name</c>, and what follows the first word that is no flag.</summary>
internal sealed class Arguments
{
    private readonly Dictionary<string, List<string>> _values = [];

    internal List<string> Rest { get; } = [];

    /// <param name="words">What to read.</param>
    /// <param name="flags">Names that take no value.</param>
    /// <param name="options">Names that take one.</param>
    /// <param name="anywhere">Whether flags may also stand behind other words.</param>
    internal static Arguments Parse(IEnumerable<string> words, string[] flags, string[] options, bool anywhere = false)
    {
        Arguments parsed = new();
        Queue<string> left = new(words);
        while (left.TryDequeue(out string? word))
        {
            if (word == "--")
            {
                parsed.Rest.AddRange(left);
                return parsed;
            }

            if (!word.StartsWith('-') || word == "-")
            {
                parsed.Rest.Add(word);
                if (anywhere) continue;
                parsed.Rest.AddRange(left);
                return parsed;
            }

            string name = word.TrimStart('-');
            string? value = null;
            if (name.Split('=', 2) is [{ } key, { } given]) (name, value) = (key, given);
            if (flags.Contains(name)) parsed.Add(name, value ?? "true");
            else if (options.Contains(name)) parsed.Add(name, value ?? (left.TryDequeue(out string? next) ? next : throw new UsageException($"flag needs an argument: --{name}")));
            else throw new UsageException($"flag provided but not defined: -{name}");
        }

        return parsed;
    }

    internal bool Has(params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
            if (_values.TryGetValue(name, out List<string>? values) && values[^1] is not ("false" or "0")) return true;
        return false;
    }

    internal string? Value(params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
            if (_values.TryGetValue(name, out List<string>? values)) return values[^1];
        return null;
    }

    internal IReadOnlyList<string> All(params ReadOnlySpan<string> names)
    {
        List<string> all = [];
        foreach (string name in names)
            if (_values.TryGetValue(name, out List<string>? values)) all.AddRange(values);
        return all;
    }

    internal int Number(string name, int otherwise = 0) =>
        Value(name) is not { } text ? otherwise : int.TryParse(text, CultureInfo.InvariantCulture, out int number) ? number : throw new UsageException($"invalid value \"{text}\" for flag -{name}");

    internal string Id() => Rest is [{ } id] ? id : throw new UsageException(Rest.Count == 0 ? "container id cannot be empty" : $"exactly one container id is wanted, and not {Rest.Count} words");

    private void Add(string name, string value)
    {
        if (!_values.TryGetValue(name, out List<string>? values)) _values[name] = values = [];
        values.Add(value);
    }
}

/// <summary>The command line is none.</summary>
internal sealed class UsageException(string message) : Exception(message);
