using System.Globalization;

namespace Isolation.Cgroups;

/// <summary>The size of huge pages, as the names of the <c>hugetlb</c> files have it (mem_fmt, mm/hugetlb_cgroup.c): <c>64KB</c>, <c>2MB</c>, <c>1GB</c>.</summary>
internal static class HugePageSize
{
    private const string Prefix = "hugetlb.";

    /// <summary>The size in the name of a file that ends so: <c>2MB</c> and 2 MiB for <c>hugetlb.2MB.current</c>.</summary>
    internal static bool TryParse(string file, string suffix, out string name, out long bytes)
    {
        name = "";
        bytes = 0;
        if (!file.StartsWith(Prefix, StringComparison.Ordinal) || !file.EndsWith(suffix, StringComparison.Ordinal)) return false;
        if (file.Length <= Prefix.Length + suffix.Length) return false;
        name = file[Prefix.Length..^suffix.Length];
        int shift = name.Length < 3 ? 0 : name[^2..] switch { "KB" => 10, "MB" => 20, "GB" => 30, _ => 0 };
        if (shift == 0 || !int.TryParse(name.AsSpan(..^2), NumberStyles.None, CultureInfo.InvariantCulture, out int number) || number == 0) return false;
        bytes = (long)number << shift;
        return true;
    }
}
