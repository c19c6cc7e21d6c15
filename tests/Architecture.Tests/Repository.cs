using System.Reflection;

namespace Isolation.Architecture.Tests;

/// <summary>The checkout that this assembly was built from.</summary>
internal static class Repository
{
    private static readonly string[] OutputFolders = ["bin", "obj", "artifacts", ".git"];

    public static string Root { get; } = Path.TrimEndingDirectorySeparator(
        typeof(Repository).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
            .Single(attribute => attribute.Key == "RepositoryRoot").Value!);

    public static string RelativePath(string path) => Path.GetRelativePath(Root, path);

    /// <summary>Every project file under <paramref name="folder"/>, a top-level folder.</summary>
    public static IEnumerable<string> Projects(string folder)
    {
        string path = Path.Combine(Root, folder);
        return Directory.Exists(path) ? Files(path, "*.csproj").Order(StringComparer.Ordinal) : [];
    }

    /// <summary>The files that people wrote under <paramref name="directory"/>: no build output.</summary>
    public static IEnumerable<string> Files(string directory, string pattern)
    {
        IEnumerable<string> here = Directory.EnumerateFiles(directory, pattern);
        return here.Concat(Directory.EnumerateDirectories(directory)
            .Where(child => !OutputFolders.Contains(Path.GetFileName(child)))
            .SelectMany(child => Files(child, pattern)));
    }

    /// <summary>What git tracks or would track; where git does not answer, every file that is no build output.</summary>
    public static async Task<IReadOnlyList<string>> TrackedFilesAsync(CancellationToken cancellationToken)
    {
        CommandResult list;
        try
        {
            list = await Command.RunAsync("git", ["-C", Root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"], Root, cancellationToken);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return [.. Files(Root, "*")];
        }

        return list.ExitCode != 0
            ? [.. Files(Root, "*")]
            : [.. list.Output.Split('\0', StringSplitOptions.RemoveEmptyEntries).Select(name => Path.Combine(Root, name)).Where(File.Exists)];
    }
}
