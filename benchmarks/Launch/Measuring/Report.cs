using System.Globalization;
using System.Text;

namespace Isolation.Benchmarks;

/// <summary>Markdown, to the console as it comes and to a file at the end.</summary>
internal sealed class Report
{
    private readonly StringBuilder _text = new();

    internal void Line(string text = "")
    {
        Console.WriteLine(text);
        _text.AppendLine(text);
    }

    internal void Heading(string text, string explanation)
    {
        Line($"## {text}");
        Line();
        Line(explanation);
        Line();
    }

    internal void Table(IReadOnlyList<string> columns, IEnumerable<IReadOnlyList<string>> rows)
    {
        Row(columns);
        Row([.. columns.Select((_, index) => index == 0 ? "---" : "---:")]);
        foreach (IReadOnlyList<string> row in rows) Row(row);
        Line();
    }

    internal void Save(string path)
    {
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } directory) Directory.CreateDirectory(directory);
        File.WriteAllText(path, _text.ToString().TrimEnd() + "\n");
    }

    /// <summary>Three significant digits are more than such a measurement holds.</summary>
    internal static string Number(double value) => double.IsNaN(value)
        ? "–"
        : value.ToString(Math.Abs(value) >= 100 ? "F0" : Math.Abs(value) >= 10 ? "F1" : "F2", CultureInfo.InvariantCulture);

    internal static string Count(double value) => value.ToString("N0", CultureInfo.InvariantCulture);

    private void Row(IReadOnlyList<string> cells) => Line("| " + string.Join(" | ", cells.Select(cell => cell.Replace("|", "\\|", StringComparison.Ordinal))) + " |");
}
