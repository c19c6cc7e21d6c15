using Isolation.Linux;

namespace Isolation;

/// <summary>Finds the directory in which containers are recorded, and makes sure that it is nobody else's.</summary>
internal static class StateLocation
{
    private const uint Private = 0x1C0, WritableByOthers = 0x12; // 0700, 0022

    /// <summary>The first of the usual places that can be used.</summary>
    /// <exception cref="ContainerException">None can.</exception>
    internal static (string Path, FileDescriptor Directory) OpenDefault()
    {
        uint user = (uint)Syscall.Invoke(SystemCall.geteuid);
        return OpenFirst(Candidates(user, Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR")), user);
    }

    /// <summary>
    /// The places that are tried, in order. A runtime directory belongs to one user (XDG Base Directory Specification):
    /// it is asked for its owner, because sudo may pass on another user's variable.
    /// </summary>
    internal static IEnumerable<(string Path, string? OwnParent)> Candidates(uint user, string? runtimeDirectory)
    {
        if (user == 0) yield return ("/run/isolation", null);
        if (runtimeDirectory is ['/', ..]) yield return (Path.Join(runtimeDirectory, "isolation"), runtimeDirectory);
        yield return (FormattableString.Invariant($"/tmp/isolation-{user}"), null);
    }

    internal static (string Path, FileDescriptor Directory) OpenFirst(IEnumerable<(string Path, string? OwnParent)> candidates, uint user)
    {
        List<(string, string)> refused = [];
        foreach ((string path, string? ownParent) in candidates)
        {
            string? problem = ownParent is null ? null : ProblemOfParent(ownParent, user);
            if (problem is null && TryOpen(path, user, TargetAbi.Current.O_NOFOLLOW, out problem) is { } directory) return (path, directory);
            refused.Add((path, problem!));
        }

        throw StateFailures.NoDirectory(refused);
    }

    /// <summary>A directory of the caller's choice, made with those above it if it is missing. A link to it is followed.</summary>
    /// <exception cref="ContainerException">It cannot be used.</exception>
    internal static (string Path, FileDescriptor Directory) Open(string path)
    {
        string full = Path.GetFullPath(path);
        try
        {
            if (Path.GetDirectoryName(full) is { } parent) Directory.CreateDirectory(parent);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw StateFailures.NoDirectory([(full, exception.Message.TrimEnd('.'))]);
        }

        if (TryOpen(full, (uint)Syscall.Invoke(SystemCall.geteuid), 0, out string? problem) is { } directory) return (full, directory);
        throw StateFailures.NoDirectory([(full, problem!)]);
    }

    private static FileDescriptor? TryOpen(string path, uint user, int flags, out string? problem)
    {
        FileDescriptor? directory = null;
        try
        {
            MakeDirectory(path);
            directory = FileDescriptor.Open(path, Abi.O_RDONLY | TargetAbi.Current.O_DIRECTORY | flags);
            problem = ProblemOf(FileStatus.Of(directory), user) ?? ProblemOfMaking(directory);
            if (problem is null) return directory;
        }
        catch (LinuxException exception)
        {
            // Somebody may have put a link, or a file, where everybody can: in /tmp.
            problem = exception.Errno is Errno.ELOOP or Errno.ENOTDIR ? "it is not a directory but a link or a file" : exception.Failure;
        }

        directory?.Dispose();
        return null;
    }

    private static void MakeDirectory(string path)
    {
        using FileDescriptor parent = FileDescriptor.Open(Path.GetDirectoryName(path) ?? "/", Abi.O_PATH | TargetAbi.Current.O_DIRECTORY);
        nint result = DirectoryFiles.TryMakeDirectory(parent, Path.GetFileName(path), Private);
        if (!Syscall.Is(result, Errno.EEXIST)) Syscall.Check(result, "mkdirat", $"\"{path}\", 0700");
    }

    private static string? ProblemOf(FileStatus status, uint user)
    {
        if (status.Uid != user) return $"it belongs to user {status.Uid}, and this process is user {user}";
        return (status.Mode & WritableByOthers) == 0 ? null : $"others may write to it (mode {Convert.ToString(status.Mode, 8)})";
    }

    /// <summary>Whether there is a place for owners, which also tells whether the directory can be written to.</summary>
    private static string? ProblemOfMaking(FileDescriptor directory)
    {
        nint result = DirectoryFiles.TryMakeDirectory(directory, StateDirectory.Owners, Private);
        return Syscall.IsError(result) && !Syscall.Is(result, Errno.EEXIST) ? Syscall.Failure(result, "mkdirat", $"\"{StateDirectory.Owners}\"").Failure : null;
    }

    private static string? ProblemOfParent(string path, uint user)
    {
        try
        {
            using FileDescriptor directory = FileDescriptor.Open(path, Abi.O_PATH | TargetAbi.Current.O_DIRECTORY);
            uint owner = FileStatus.Of(directory).Uid;
            return owner == user ? null : $"XDG_RUNTIME_DIR belongs to user {owner}, and this process is user {user}";
        }
        catch (LinuxException exception)
        {
            return exception.Failure;
        }
    }
}
