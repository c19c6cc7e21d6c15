using CsCheck;

namespace Isolation.Linux.Tests;

/// <summary>The kernel's resolver is the oracle of ours: random trees full of links, random paths and flags, one answer.</summary>
public class ResolverAgreementTests
{
    private static readonly string[] Names = ["a", "b", "c"];

    private static readonly Gen<string> Component = Gen.Frequency(
        (6, Gen.OneOf(Names)), (3, Gen.Const("..")), (1, Gen.Const(".")), (1, Gen.Const("")));

    private static readonly Gen<string> AnyPath = Gen.Select(
        Component.Array[1, 6], Gen.OneOf("", "", "/"), Gen.OneOf("", "", "/"),
        (components, before, after) => before + string.Join('/', components) + after);

    private static readonly Gen<(string Kind, string Path, string Target)> Entry = Gen.Select(
        Gen.OneOf("directory", "directory", "file", "link", "link"), Gen.OneOf(Names).Array[1, 3], AnyPath,
        (kind, path, target) => (kind, string.Join('/', path), target));

    private static readonly int[] Flags =
    [
        Abi.O_PATH, Abi.O_PATH | TargetAbi.Current.O_NOFOLLOW, Abi.O_PATH | TargetAbi.Current.O_DIRECTORY,
        Abi.O_RDONLY, Abi.O_RDONLY | TargetAbi.Current.O_NOFOLLOW, Abi.O_RDONLY | TargetAbi.Current.O_DIRECTORY,
        Abi.O_RDONLY | TargetAbi.Current.O_DIRECTORY | TargetAbi.Current.O_NOFOLLOW, Abi.O_RDWR,
        Abi.O_WRONLY | Abi.O_CREAT, Abi.O_WRONLY | Abi.O_CREAT | Abi.O_EXCL, Abi.O_WRONLY | Abi.O_CREAT | TargetAbi.Current.O_NOFOLLOW,
    ];

    [Fact]
    public void Walk_and_openat2_agree_on_every_path_of_random_trees()
    {
        Assert.SkipUnless(OpenAt2Resolver.Works, "openat2 does not work here, so there is nothing to compare with.");
        int found = 0, links = 0;
        Gen.Select(Entry.Array[1, 12], AnyPath.Array[12]).Sample(
            (entries, paths) =>
            {
                using var root = new TemporaryRoot();
                foreach (var (kind, path, target) in entries) Make(root, kind, path, target);
                foreach (string path in paths)
                {
                    foreach (int flags in Flags)
                    {
                        string kernel = Answer(root, path, flags, PathResolver.OpenAt2), walk = Answer(root, path, flags, PathResolver.Walk);
                        if (kernel != walk) throw new InvalidOperationException($"\"{path}\" with {OpenFlags.Format(flags)}: openat2 says {kernel}, the walk {walk}.");
                        if (kernel.StartsWith('(')) Interlocked.Increment(ref found);
                        if (kernel == nameof(Errno.ELOOP)) Interlocked.Increment(ref links);
                    }
                }
            },
            iter: 200, threads: 1);
        // Not all alike: files were reached, and loops were met.
        Assert.InRange(found, 1000, int.MaxValue);
        Assert.InRange(links, 10, int.MaxValue);
    }

    /// <summary>
    /// Unlike the resolvers, .NET follows links to the real outside: nothing is made below what is not a real directory.
    /// </summary>
    private static void Make(TemporaryRoot root, string kind, string path, string target)
    {
        string at = root.At(path), directory = Path.GetDirectoryName(at)!;
        for (string above = directory; above != root.Inside; above = Path.GetDirectoryName(above)!)
            if (IsThere(above) && !IsRealDirectory(above)) return;
        Directory.CreateDirectory(directory);
        if (IsThere(at)) return;
        if (kind == "directory") Directory.CreateDirectory(at);
        else if (kind == "file") File.WriteAllText(at, path);
        else File.CreateSymbolicLink(at, target.Length == 0 ? "." : target);
    }

    private static bool IsThere(string path) => File.Exists(path) || Directory.Exists(path) || new FileInfo(path).LinkTarget is not null;

    private static bool IsRealDirectory(string path) => Directory.Exists(path) && new DirectoryInfo(path).LinkTarget is null;

    /// <summary>Which file it was, or why not. A file that the call created is removed, so that both resolvers find the same tree.</summary>
    private static string Answer(TemporaryRoot root, string path, int flags, PathResolver resolver)
    {
        bool create = (flags & Abi.O_CREAT) != 0;
        var before = create ? Tree(root) : [];
        nint result;
        // EAGAIN is about the rest of the machine: somebody renames a lot just now.
        do result = ContainedPath.TryOpen(root.Descriptor, path, flags, create ? 0x180u : 0, resolver);
        while (Syscall.Is(result, Errno.EAGAIN));
        string answer = Syscall.ErrnoOf(result).ToString();
        if (!Syscall.IsError(result))
        {
            using var file = new FileDescriptor((int)result);
            var status = FileStatus.Of(file);
            answer = $"({status.Type} {status.Inode})";
        }
        foreach (string made in create ? Tree(root).Except(before) : [])
        {
            Assert.StartsWith(root.Inside + "/", made, StringComparison.Ordinal);
            File.Delete(made);
            answer = $"(created {made})";
        }
        return answer;
    }

    /// <summary>What there is but links, none of which is followed.</summary>
    private static string[] Tree(TemporaryRoot root) => Directory.GetFileSystemEntries(
        root.Base, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint });
}
