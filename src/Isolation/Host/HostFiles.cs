using System.Collections.Immutable;
using System.Net;

namespace Isolation;

/// <summary>What of the host's files a plan needs to know. Looked at each launch, because it may change; read anew when it has.</summary>
internal static class HostFiles
{
    private static volatile RootState? _lastRoot;
    private static volatile ResolverState? _lastResolver;

    /// <summary>The facts, with the mounts and entries of <c>/</c>, for a root made of the host's files.</summary>
    internal static HostFacts WithRoot(HostFacts facts)
    {
        byte[] mountInfo = File.ReadAllBytes("/proc/self/mountinfo");
        RootState? last = _lastRoot;
        if (last is null || !last.IsCurrent(mountInfo)) _lastRoot = last = RootState.Read(mountInfo);
        return last.AddTo(facts);
    }

    /// <summary>
    /// Name servers of the host for a container. Those on loopback answer in the host's network namespace only, so they
    /// are left out unless the container is in it.
    /// </summary>
    internal static string ResolvConf(bool hostNetwork)
    {
        DateTime changed = File.GetLastWriteTimeUtc("/etc/resolv.conf");
        ResolverState? last = _lastResolver;
        if (last is null || last.Changed != changed) _lastResolver = last = ReadResolver(changed);
        return hostNetwork ? last.Whole : last.WithoutLoopback;
    }

    private static ResolverState ReadResolver(DateTime changed)
    {
        string text;
        try
        {
            text = File.ReadAllText("/etc/resolv.conf");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return new(changed, "", "");
        }

        return new(changed, text, string.Concat(text.Split('\n').Where(line => !IsLoopbackServer(line)).Select(line => line + "\n")).TrimEnd('\n') + "\n");
    }

    private static bool IsLoopbackServer(string line)
    {
        string[] words = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        return words is ["nameserver", var address, ..] && IPAddress.TryParse(address, out IPAddress? parsed) && IPAddress.IsLoopback(parsed);
    }

    private sealed record ResolverState(DateTime Changed, string Whole, string WithoutLoopback);

    /// <summary>
    /// The host's tree as it was read, and how to tell that it is still so: the same mounts, nothing added to or removed
    /// from <c>/</c>, and no empty directory of it changed. A full one that becomes empty makes no difference.
    /// </summary>
    private sealed class RootState(byte[] mountInfo, DateTime rootChanged, ImmutableArray<HostMount> mounts, ImmutableArray<HostRootEntry> entries, ImmutableArray<(string Path, DateTime Changed)> empty)
    {
        // Each is a mount of every container.
        private const int MostChildren = 64;

        private (HostFacts From, HostFacts To)? _facts;

        internal static RootState Read(byte[] mountInfo)
        {
            DateTime changed = Directory.GetLastWriteTimeUtc("/");
            ImmutableArray<HostMount> mounts = MountInfo.Visible(System.Text.Encoding.UTF8.GetString(mountInfo), Directory.Exists);
            ImmutableArray<HostRootEntry> entries = ReadRoot(mounts);
            return new(mountInfo, changed, mounts, entries,
                [.. entries.Where(entry => entry.Kind == HostEntryKind.EmptyDirectory).Select(entry => ("/" + entry.Name, Directory.GetLastWriteTimeUtc("/" + entry.Name)))]);
        }

        internal bool IsCurrent(ReadOnlySpan<byte> currentMountInfo)
        {
            if (!currentMountInfo.SequenceEqual(mountInfo) || Directory.GetLastWriteTimeUtc("/") != rootChanged) return false;
            foreach ((string path, DateTime changed) in empty)
                if (Directory.GetLastWriteTimeUtc(path) != changed) return false;
            return true;
        }

        internal HostFacts AddTo(HostFacts facts)
        {
            if (_facts is { } known && ReferenceEquals(known.From, facts)) return known.To;
            HostFacts added = facts with { Mounts = mounts, RootEntries = entries };
            _facts = (facts, added);
            return added;
        }

        private static ImmutableArray<HostRootEntry> ReadRoot(ImmutableArray<HostMount> mounts)
        {
            ImmutableArray<HostRootEntry>.Builder read = ImmutableArray.CreateBuilder<HostRootEntry>();
            foreach (FileSystemInfo entry in new DirectoryInfo("/").EnumerateFileSystemInfos().OrderBy(entry => entry.Name, StringComparer.Ordinal))
            {
                HostEntryKind kind;
                if (entry.LinkTarget is not null) kind = HostEntryKind.SymbolicLink;
                else if (entry is DirectoryInfo directory) kind = IsEmpty(directory) ? HostEntryKind.EmptyDirectory : HostEntryKind.Directory;
                else kind = HostEntryKind.File;
                read.Add(new(entry.Name, kind, entry.LinkTarget, (int)entry.UnixFileMode & 0xFFF));
                if (kind == HostEntryKind.Directory && mounts.Any(mount => mount.Path.StartsWith($"/{entry.Name}/", StringComparison.Ordinal)))
                    AddChildren(read, (DirectoryInfo)entry);
            }

            return read.ToImmutable();
        }

        private static void AddChildren(ImmutableArray<HostRootEntry>.Builder read, DirectoryInfo parent)
        {
            try
            {
                foreach (DirectoryInfo child in parent.EnumerateDirectories().OrderBy(child => child.Name, StringComparer.Ordinal).Take(MostChildren))
                    if (child.LinkTarget is null) read.Add(new($"{parent.Name}/{child.Name}", HostEntryKind.Directory, null, (int)child.UnixFileMode & 0xFFF));
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // What cannot be listed is bound as a whole.
            }
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
}
