namespace Isolation.Cgroups;

/// <summary>Names of systemd's slices (systemd.slice(5), systemd.unit(5)).</summary>
internal static class SliceName
{
    private const string Suffix = ".slice";
    private const int Longest = 255;

    /// <exception cref="ArgumentException">It is none.</exception>
    internal static void Check(string name, string? parameter)
    {
        if (!IsValid(name))
            throw new ArgumentException($"'{name}' is no name of a slice, such as 'work.slice' or 'work-batch.slice': letters, digits, ':', '_', '.', '\\' and single dashes, at most {Longest} bytes, without a path.", parameter);
    }

    internal static bool IsValid(string name)
    {
        if (!name.EndsWith(Suffix, StringComparison.Ordinal) || name.Length > Longest) return false;
        string stem = name[..^Suffix.Length];
        if (stem == "-") return true; // the root slice
        return stem.Split('-').All(part => part.Length > 0 && part.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is ':' or '_' or '.' or '\\'));
    }
}
