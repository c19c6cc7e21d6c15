using System.Security.Cryptography;

namespace Isolation.Live.Tests;

/// <summary>All that can be told of a directory tree by looking: names, kinds, modes, times, sizes, contents, links.</summary>
internal static class TreeSnapshot
{
    internal static string[] Of(string directory) =>
        [.. new DirectoryInfo(directory).EnumerateFileSystemInfos("*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 })
            .Append(new DirectoryInfo(directory)).Select(Describe).Order(StringComparer.Ordinal)];

    private static string Describe(FileSystemInfo entry)
    {
        string what = $"{entry.FullName} {entry.LastWriteTimeUtc:O} {(int)entry.UnixFileMode}";
        if (entry.LinkTarget is { } target) return $"{entry.FullName} -> {target}";
        return entry is FileInfo file ? $"{what} {file.Length} {Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(file.FullName)))}" : what;
    }
}
