namespace Isolation.Tests;

/// <summary>The checkout that these tests were built from.</summary>
internal static class SourceTree
{
    private static readonly Lazy<string> Root = new(Find);

    internal static string PathOf(string relative) => Path.Join(Root.Value, relative);

    private static string Find()
    {
        for (DirectoryInfo? directory = new(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
            if (File.Exists(Path.Join(directory.FullName, "Isolation.sln"))) return directory.FullName;
        throw new InvalidOperationException($"There is no Isolation.sln above {AppContext.BaseDirectory}.");
    }
}
