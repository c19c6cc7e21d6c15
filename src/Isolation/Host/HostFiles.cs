using System.Collections.Immutable;
using System.Net;

namespace Isolation;

/// <summary>What of the host's files a plan needs to know; read at each launch that needs it, because it may change.</summary>
internal static class HostFiles
{
    /// <summary>The facts, with the mounts and entries of <c>/</c>, for a root made of the host's files.</summary>
    internal static HostFacts WithRoot(HostFacts facts) => facts with
    {
        Mounts = MountInfo.Visible(File.ReadAllText("/proc/self/mountinfo"), Directory.Exists),
        RootEntries = ReadRoot(),
    };

    /// <summary>
    /// Name servers of the host for a container. Those on loopback answer in the host's network namespace only, so they
    /// are left out unless the container is in it.
    /// </summary>
    internal static string ResolvConf(bool hostNetwork)
    {
        string text;
        try
        {
            text = File.ReadAllText("/etc/resolv.conf");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return "";
        }

        if (hostNetwork) return text;
        return string.Concat(text.Split('\n').Where(line => !IsLoopbackServer(line)).Select(line => line + "\n")).TrimEnd('\n') + "\n";
    }

    private static bool IsLoopbackServer(string line)
    {
        string[] words = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        return words is ["nameserver", var address, ..] && IPAddress.TryParse(address, out IPAddress? parsed) && IPAddress.IsLoopback(parsed);
    }

    private static ImmutableArray<HostRootEntry> ReadRoot()
    {
        ImmutableArray<HostRootEntry>.Builder entries = ImmutableArray.CreateBuilder<HostRootEntry>();
        foreach (FileSystemInfo entry in new DirectoryInfo("/").EnumerateFileSystemInfos().OrderBy(entry => entry.Name, StringComparer.Ordinal))
        {
            HostEntryKind kind;
            if (entry.LinkTarget is not null) kind = HostEntryKind.SymbolicLink;
            else if (entry is DirectoryInfo directory) kind = IsEmpty(directory) ? HostEntryKind.EmptyDirectory : HostEntryKind.Directory;
            else kind = HostEntryKind.File;
            entries.Add(new(entry.Name, kind, entry.LinkTarget, (int)entry.UnixFileMode & 0xFFF));
        }

        return entries.ToImmutable();
    }

    // A directory that cannot be listed is not empty as far as anybody knows.
    private static bool IsEmpty(DirectoryInfo directory)
    {
        try
        {
            return !directory.EnumerateFileSystemInfos().Any();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
