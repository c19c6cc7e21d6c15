using System.Collections.Frozen;
using System.Globalization;

namespace Isolation;

/// <summary>Every system call of the architectures that filters are made for, by name and by number (<c>eng/system-calls.sh</c>).</summary>
internal static class SystemCallTable
{
    private static readonly Lazy<FrozenDictionary<string, int[]>> Rows = new(Read);

    private static readonly Lazy<int>[] Last = [.. Enum.GetValues<SeccompArchitecture>().Select(architecture => new Lazy<int>(() => Rows.Value.Values.Max(row => row[(int)architecture])))];

    private static readonly Lazy<FrozenDictionary<int, string>>[] Numbers = [.. Enum.GetValues<SeccompArchitecture>().Select(architecture =>
        new Lazy<FrozenDictionary<int, string>>(() => Rows.Value.Where(row => row.Value[(int)architecture] >= 0).ToFrozenDictionary(row => row.Value[(int)architecture], row => row.Key)))];

    internal static IEnumerable<string> Names => Rows.Value.Keys;

    internal static bool IsKnown(string name) => Rows.Value.ContainsKey(name);

    /// <summary>Null where the architecture has no such call. Of x32 without the bit that its numbers have.</summary>
    internal static int? NumberOf(string name, SeccompArchitecture architecture) => Rows.Value.TryGetValue(name, out int[]? row) && row[(int)architecture] >= 0 ? row[(int)architecture] : null;

    /// <summary>Null where the table has no such number.</summary>
    internal static string? NameOf(int number, SeccompArchitecture architecture) => Numbers[(int)architecture].Value.GetValueOrDefault(number);

    /// <summary>What is beyond it is newer than this table.</summary>
    internal static int LastOf(SeccompArchitecture architecture) => Last[(int)architecture].Value;

    private static FrozenDictionary<string, int[]> Read()
    {
        using StreamReader reader = new(typeof(SystemCallTable).Assembly.GetManifestResourceStream("Isolation.Seccomp.system-calls.tsv")!);
        Dictionary<string, int[]> rows = [];
        while (reader.ReadLine() is { } line)
        {
            string[] cells = line.Split('\t');
            rows.Add(cells[0], [.. cells[1..].Select(cell => cell == "-" ? -1 : int.Parse(cell, CultureInfo.InvariantCulture))]);
        }

        return rows.ToFrozenDictionary(StringComparer.Ordinal);
    }
}
