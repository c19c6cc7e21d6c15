using System.Collections.Immutable;
using Isolation.Linux;

namespace Isolation;

/// <summary>One file that comes from the image into a new tmpfs.</summary>
/// <param name="Path">From the root of the tmpfs.</param>
/// <param name="Status">What it is like.</param>
/// <param name="Content">Of a regular file.</param>
/// <param name="LinkTarget">Of a symbolic link.</param>
internal sealed record CopiedEntry(string Path, FileStatus Status, ImmutableArray<byte> Content, string? LinkTarget);

/// <summary>Reads what <c>tmpcopyup</c> brings along (config.md, "Linux mount options"): directories, links and small files.</summary>
internal static class OciCopyUp
{
    private const long MostBytes = 4 << 20;
    private const int MostEntries = 1000;

    /// <exception cref="OciRuntimeException">It is more than a plan should hold.</exception>
    internal static ContainerSpec Read(ContainerSpec spec)
    {
        if (!spec.Mounts.Any(mount => mount is OciMount { Options.CopiesUp: true })) return spec;
        return spec with { Mounts = [.. spec.Mounts.Select(mount => mount is OciMount { Options.CopiesUp: true } one ? one with { Content = Read(((DirectoryRoot)spec.Root!).Path, one.Target) } : mount)] };
    }

    private static ImmutableArray<CopiedEntry> Read(string root, string target)
    {
        using FileDescriptor top = FileDescriptor.Open(root, Abi.O_PATH | TargetAbi.Current.O_DIRECTORY);
        nint opened = ContainedPath.TryOpen(top, target, Abi.O_RDONLY | TargetAbi.Current.O_DIRECTORY);
        if (Syscall.IsError(opened)) return []; // it is made, and empty
        using FileDescriptor directory = new((int)opened);
        ImmutableArray<CopiedEntry>.Builder entries = ImmutableArray.CreateBuilder<CopiedEntry>();
        long total = 0;
        using DirectoryWalk walk = new(OwnFileCalls.Instance, directory);
        while (walk.Next(enter: true))
        {
            if (walk.Status.Type is not (FileType.Directory or FileType.Regular or FileType.SymbolicLink)) continue;
            byte[] content = walk.Status.Type == FileType.Regular ? Content(walk, MostBytes - total) : [];
            total += content.Length;
            if (entries.Count == MostEntries || total >= MostBytes) throw new OciRuntimeException($"The mount at '{target}' has tmpcopyup, and what is there is more than {MostEntries} files or {MostBytes >> 20} MiB: leave it out, or bind a copy");
            entries.Add(new(walk.Path, walk.Status, [.. content], walk.LinkTarget));
        }

        return entries.ToImmutable();
    }

    private static byte[] Content(DirectoryWalk walk, long most)
    {
        if (walk.Status.Size >= most) return new byte[most];
        using FileDescriptor file = new((int)Syscall.Check(OwnFileCalls.Instance.Open(walk.Directory, walk.Name, Abi.O_RDONLY | TargetAbi.Current.O_NOFOLLOW), "openat", $"\"{walk.Path}\""));
        byte[] bytes = new byte[walk.Status.Size];
        int read = 0;
        while (read < bytes.Length && Descriptors.ReadAt(file, bytes.AsSpan(read), read) is > 0 and var count) read += count;
        return bytes[..read];
    }
}
