using System.Text.RegularExpressions;

namespace Isolation.Architecture.Tests;

/// <summary>A file is a room: it has one subject, and its name says which.</summary>
public sealed partial class FileShapeTests
{
    private const int MostLines = 600;

    [Fact]
    public void No_source_file_is_named_after_nothing()
    {
        string[] strays = [.. SourceFiles().Where(path => Catchall().IsMatch(Path.GetFileNameWithoutExtension(path))).Select(Repository.RelativePath)];
        Assert.Empty(strays);
    }

    [Fact]
    public void No_source_file_is_longer_than_a_room()
    {
        string[] strays = [.. SourceFiles()
            .Select(path => (Path: path, Lines: File.ReadLines(path).Count()))
            .Where(file => file.Lines > MostLines)
            .Select(file => $"{Repository.RelativePath(file.Path)}: {file.Lines} lines")];
        Assert.Empty(strays);
    }

    private static IEnumerable<string> SourceFiles() =>
        new[] { "*.cs", "*.S" }.SelectMany(pattern => Repository.Files(Path.Combine(Repository.Root, "src"), pattern));

    [GeneratedRegex("(Utils?|Utilities|Helpers?|Common|Manager|Misc)$", RegexOptions.IgnoreCase)]
    private static partial Regex Catchall();
}
