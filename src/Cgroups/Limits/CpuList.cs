using System.Globalization;

namespace Isolation.Cgroups;

/// <summary>Lists of processors and memory nodes, such as <c>0-3,8</c> (cpuset(7), "List format").</summary>
internal static class CpuList
{
    private const int Most = 1 << 16;

    /// <exception cref="ArgumentException">It is no such list.</exception>
    internal static void Check(string? list, string name)
    {
        if (list is not null && !TryParse(list, out _)) throw new ArgumentException($"{name} cannot be '{list}': it takes numbers and ranges by commas, such as 0-3,8.", name);
    }

    internal static bool TryParse(string list, out List<int> numbers)
    {
        numbers = [];
        foreach (string part in list.Split(','))
        {
            string[] ends = part.Split('-');
            if (ends.Length > 2 || !TryNumber(ends[0], out int first) || !TryNumber(ends[^1], out int last) || last < first) return false;
            for (int number = first; number <= last; number++) numbers.Add(number);
        }

        return true;
    }

    private static bool TryNumber(string text, out int number) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number < Most;
}
