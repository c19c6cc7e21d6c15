using System.Globalization;

namespace Isolation.Samples.Runtime;

/// <summary>A command line as Go's flag package reads it, which runc's users write: <c>--name value</c>, <c>--name=value</c>, <c>-name</c>, and what follows the first word that is no flag.</summary>
internal sealed class Arguments
{
    private readonly Dictionary<string, List<string>> _values = [];

    internal List<string> Rest { get; } = [];

    /// <exception cref="UsageException">A flag is not of the command, or lacks its value.</exception>
    internal static Arguments Parse(IEnumerable<string> words, CommandSyntax syntax)
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
                if (syntax.Anywhere) continue;
                parsed.Rest.AddRange(left);
                return parsed;
            }

            string name = word.TrimStart('-');
            string? value = null;
            if (name.Split('=', 2) is [{ } key, { } given]) (name, value) = (key, given);
            if (name is "help" or "h") parsed.Add("help", "true");
            else if (Find(syntax.Flags, name) is { } flag) parsed.Add(flag, value ?? "true");
            else if (Find(syntax.Options, name) is { } option) parsed.Add(option, value ?? (left.TryDequeue(out string? next) ? next : throw new UsageException($"flag needs an argument: --{name}")));
            else throw new UsageException($"flag provided but not defined: -{name}");
        }

        return parsed;
    }

    /// <param name="name">The long one.</param>
    internal bool Has(string name) => Value(name) is not (null or "false" or "0");

    /// <summary>The last that was given; null where none was.</summary>
    internal string? Value(string name) => _values.TryGetValue(name, out List<string>? values) ? values[^1] : null;

    /// <summary>Null also where it is empty.</summary>
    internal string? Filled(string name) => Value(name) is { Length: > 0 } value ? value : null;

    internal IReadOnlyList<string> All(string name) => _values.TryGetValue(name, out List<string>? values) ? values : [];

    /// <summary>One of some words, the first where none is given.</summary>
    internal string Choice(string name, params string[] choices) => Value(name) is not { } text ? choices[0] : choices.Contains(text) ? text : throw new UsageException($"invalid {name} option \"{text}\": {string.Join(" or ", choices)}");

    internal int Number(string name, int otherwise = 0) =>
        Value(name) is not { } text ? otherwise : int.TryParse(text, CultureInfo.InvariantCulture, out int number) ? number : throw new UsageException($"invalid value \"{text}\" for flag -{name}");

    internal string Id() => Rest is [{ } id] ? id : throw new UsageException(Rest.Count == 0 ? "container id cannot be empty" : $"exactly one container id is wanted, and not {Rest.Count} words");

    private static string? Find(string[] known, string name)
    {
        foreach (string names in known)
            if (names.Split(' ') is [{ } first, ..] all && all.Contains(name)) return first;
        return null;
    }

    private void Add(string name, string value)
    {
        if (!_values.TryGetValue(name, out List<string>? values)) _values[name] = values = [];
        values.Add(value);
    }
}

/// <summary>The command line is none.</summary>
internal sealed class UsageException(string message) : Exception(message);
