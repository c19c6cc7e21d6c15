using System.Text;
using Isolation.Linux;

namespace Isolation.Cgroups;

/// <summary>
/// A group in one hierarchy: its directory, by descriptor, so that whatever is moved or made anew meanwhile, this group
/// is meant. Safe from any thread.
/// </summary>
internal sealed class GroupDirectory : IDisposable
{
    private const int LongestFile = 1 << 20;
    private int _users = 1;

    internal GroupDirectory(CgroupVersion version, string path, FileDescriptor directory)
    {
        (Version, Path, Directory) = (version, path, directory);
    }

    internal CgroupVersion Version { get; }

    /// <summary>Of the host, for messages and records.</summary>
    internal string Path { get; }

    internal FileDescriptor Directory { get; }

    /// <summary>Opens a group that is there.</summary>
    /// <param name="version">Null for whichever it is of.</param>
    /// <param name="path">Where.</param>
    /// <exception cref="CgroupException">It is not, or is no control group: a directory beside the hierarchies limits nothing.</exception>
    internal static GroupDirectory Open(CgroupVersion? version, string path)
    {
        FileDescriptor directory;
        try
        {
            directory = PrivateHierarchy.IsPath(path) ? PrivateHierarchy.Open(path) : FileDescriptor.Open(path, Abi.O_RDONLY | TargetAbi.Current.O_DIRECTORY | TargetAbi.Current.O_NOFOLLOW);
        }
        catch (LinuxException exception)
        {
            throw GroupFailures.Of(exception, $"open the control group '{path}'");
        }

        CgroupVersion? found = KernelFileSystem.TypeOf(directory) switch { Abi.CGROUP_SUPER_MAGIC => CgroupVersion.V1, Abi.CGROUP2_SUPER_MAGIC => CgroupVersion.V2, _ => null };
        if (found is { } own && own == (version ?? own)) return new(own, path, directory);
        directory.Dispose();
        throw new CgroupException(CgroupErrorReason.ControllerUnavailable, $"'{path}' is a directory of another file system, and no control group{(version is null ? "" : $" of {version}")}", remedy: "mount the control groups, or give another parent");
    }

    /// <summary>Makes a group beneath.</summary>
    /// <returns>Null where it is there already.</returns>
    /// <exception cref="CgroupException">It cannot be made.</exception>
    internal GroupDirectory? TryMake(string name)
    {
        string path = $"{Path}/{name}";
        nint result = DirectoryFiles.TryMakeDirectory(Directory, name, 0x1ED);
        if (Syscall.Is(result, Errno.EEXIST)) return null;
        if (Syscall.IsError(result)) throw GroupFailures.Of(Syscall.Failure(result, "mkdirat", $"\"{path}\", 0755"), $"make the control group '{path}'");
        try
        {
            return Child(name);
        }
        catch
        {
            DirectoryFiles.TryDeleteDirectory(Directory, name);
            throw;
        }
    }

    /// <summary>A group beneath that is there.</summary>
    internal GroupDirectory Child(string name)
    {
        string path = $"{Path}/{name}";
        try
        {
            return new(Version, path, DirectoryFiles.Open(Directory, name, Abi.O_RDONLY | TargetAbi.Current.O_DIRECTORY));
        }
        catch (LinuxException exception)
        {
            throw GroupFailures.Of(exception, $"open the control group '{path}'");
        }
    }

    internal bool Has(string file)
    {
        nint result = DirectoryFiles.TryOpen(Directory, file, Abi.O_PATH);
        if (Syscall.IsError(result)) return false;
        new FileDescriptor((int)result).Dispose();
        return true;
    }

    internal bool MayWrite(string file)
    {
        nint result = DirectoryFiles.TryOpen(Directory, file, Abi.O_WRONLY);
        if (Syscall.IsError(result)) return false;
        new FileDescriptor((int)result).Dispose();
        return true;
    }

    /// <returns>0, or -errno of opening or writing.</returns>
    internal nint TryWrite(string file, string value)
    {
        nint opened = DirectoryFiles.TryOpen(Directory, file, Abi.O_WRONLY);
        if (Syscall.IsError(opened)) return opened;
        using FileDescriptor descriptor = new((int)opened);
        Span<byte> stack = stackalloc byte[256];
        ReadOnlySpan<byte> bytes = Encoding.UTF8.TryGetBytes(value, stack, out int count) ? stack[..count] : Encoding.UTF8.GetBytes(value);
        nint result = Descriptors.TryWrite(descriptor, bytes);
        return Syscall.IsError(result) ? result : 0;
    }

    /// <exception cref="LinuxException">The kernel refuses.</exception>
    internal void Write(string file, string value)
    {
        nint result = TryWrite(file, value);
        if (Syscall.IsError(result)) throw Syscall.Failure(result, "write", $"{Path}/{file}, \"{value}\"");
    }

    /// <summary>What a file says, without the last newline; null where there is none.</summary>
    /// <exception cref="LinuxException">It cannot be read.</exception>
    internal string? TryRead(string file)
    {
        nint opened = DirectoryFiles.TryOpen(Directory, file, Abi.O_RDONLY);
        if (Syscall.Is(opened, Errno.ENOENT)) return null;
        using FileDescriptor descriptor = new((int)Syscall.Check(opened, "openat", $"{Path}/{file}, O_RDONLY"));
        byte[] buffer = new byte[4096];
        int length = 0;
        while (true)
        {
            if (length == buffer.Length) Array.Resize(ref buffer, checked(buffer.Length * 2));
            nint count = Descriptors.TryRead(descriptor, buffer.AsSpan(length));
            if (Syscall.Is(count, Errno.ENODEV)) return null; // the group was removed since
            if (Syscall.IsError(count)) throw Syscall.Failure(count, "read", $"{Path}/{file}");
            if (count == 0 || length > LongestFile) break;
            length += (int)count;
        }

        return Encoding.UTF8.GetString(buffer, 0, length).TrimEnd('\n');
    }

    internal string Read(string file) => TryRead(file) ?? throw new CgroupException(CgroupErrorReason.Gone, $"There is no '{Path}/{file}'", remedy: "somebody has removed the group, or the kernel has no such file");

    /// <summary>The processes in this very group, by their ids in this process's pid namespace; those outside of it are left out.</summary>
    internal List<int> Processes()
    {
        List<int> processes = [];
        foreach (string line in (TryRead("cgroup.procs") ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries))
            if (int.TryParse(line, System.Globalization.CultureInfo.InvariantCulture, out int process) && process > 0) processes.Add(process);
        return processes;
    }

    /// <summary>The groups beneath, by name.</summary>
    internal IEnumerable<string> Children()
    {
        List<string> names;
        try
        {
            names = DirectoryFiles.Names(Directory);
        }
        catch (LinuxException)
        {
            yield break; // removed
        }

        foreach (string name in names)
        {
            nint opened = DirectoryFiles.TryOpen(Directory, name, Abi.O_PATH | TargetAbi.Current.O_DIRECTORY);
            if (Syscall.IsError(opened)) continue;
            new FileDescriptor((int)opened).Dispose();
            yield return name;
        }
    }

    /// <summary>One more user, who disposes it too: the last one closes it.</summary>
    /// <returns>False where it is closed already.</returns>
    internal bool TryShare()
    {
        for (int users = Volatile.Read(ref _users); users > 0; users = Volatile.Read(ref _users))
            if (Interlocked.CompareExchange(ref _users, users + 1, users) == users) return true;
        return false;
    }

    /// <summary>Once by each user.</summary>
    public void Dispose()
    {
        if (Interlocked.Decrement(ref _users) == 0) Directory.Dispose();
    }
}
