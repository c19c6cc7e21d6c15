using System.Diagnostics.CodeAnalysis;
using Isolation.Linux;

namespace Isolation;

/// <summary>What containers of this user have claimed of one kind: <c>claims/&lt;kind&gt;</c> in the user's usual state directory, whichever their own is. Safe from any thread.</summary>
internal sealed class ClaimDirectory
{
    internal const string Claims = "claims", Ranges = "id-ranges", Categories = "selinux-categories";
    private const uint Private = 0x1C0; // 0700
    private static readonly Dictionary<string, ClaimDirectory> OpenOnes = new(StringComparer.Ordinal);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private readonly Lock _gate = new();
    private readonly string _path;

    private ClaimDirectory(string path, FileDescriptor directory) => (_path, Directory) = (path, directory);

    internal FileDescriptor Directory { get; }

    /// <exception cref="ContainerException">There is no place for it.</exception>
    internal static ClaimDirectory Of(string kind)
    {
        lock (OpenOnes)
        {
            // One that somebody has removed is made anew.
            if (OpenOnes.TryGetValue(kind, out ClaimDirectory? open) && FileStatus.Of(open.Directory).Links > 0) return open;
            return OpenOnes[kind] = Open(kind);
        }
    }

    /// <summary>Chooses a name that nobody has; nobody else chooses meanwhile.</summary>
    /// <param name="choose">Of the names that are taken, or may be: null where none is free.</param>
    /// <param name="claim">What was chosen.</param>
    /// <returns>False where there is none.</returns>
    /// <exception cref="ContainerException">Somebody else has been choosing for ten seconds.</exception>
    /// <exception cref="LinuxException">The directory cannot be read or written.</exception>
    internal bool TryChoose(Func<List<string>, string?> choose, [NotNullWhen(true)] out Claim? claim)
    {
        lock (_gate)
        {
            if (!StateDirectory.TryTakeWithin(Directory, Patience, CancellationToken.None)) throw StateFailures.Busy(_path, Patience);
            try
            {
                claim = choose(DirectoryFiles.Names(Directory)) is { } name ? Claim.TryTake(this, name) : null;
                if (claim is not null) return true;

                // What the dead have left is in the way until then.
                Sweep();
                claim = choose(DirectoryFiles.Names(Directory)) is { } other ? Claim.TryTake(this, other) : null;
                return claim is not null;
            }
            finally
            {
                FileLock.Release(Directory);
            }
        }
    }

    /// <summary>Removes what nobody has any more, of every kind.</summary>
    /// <exception cref="LinuxException">It cannot be read or written.</exception>
    internal static void SweepAll()
    {
        uint user = (uint)Syscall.Invoke(SystemCall.geteuid);
        foreach ((string state, _) in StateLocation.Candidates(user, Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR")))
        {
            foreach (string kind in (string[])[Ranges, Categories])
            {
                string path = Path.Join(state, Claims, kind);
                if (!System.IO.Directory.Exists(path)) continue;
                using FileDescriptor directory = FileDescriptor.Open(path, Abi.O_RDONLY | TargetAbi.Current.O_DIRECTORY | TargetAbi.Current.O_NOFOLLOW);
                if (FileStatus.Of(directory).Uid == user) new ClaimDirectory(path, directory).Sweep();
            }
        }
    }

    private void Sweep()
    {
        foreach (string name in DirectoryFiles.Names(Directory)) Claim.TryTake(this, name)?.Dispose();
    }

    private static ClaimDirectory Open(string kind)
    {
        (string path, FileDescriptor state) = StateLocation.OpenDefault();
        using (state)
        {
            using FileDescriptor claims = Made(state, Claims);
            return new(Path.Join(path, Claims, kind), Made(claims, kind));
        }
    }

    private static FileDescriptor Made(FileDescriptor parent, string name)
    {
        DirectoryFiles.TryMakeDirectory(parent, name, Private);
        return DirectoryFiles.Open(parent, name, Abi.O_RDONLY | TargetAbi.Current.O_DIRECTORY);
    }
}
