using Isolation.Launch;
using Isolation.Linux;

namespace Isolation;

/// <summary>
/// A directory of one container's own, for what of its root lies on disk: a union that has a path, and volumes without a name.
/// Recorded before it is made, and gone with the container.
/// </summary>
internal sealed class LaunchDirectory
{
    private const string Prefix = "isolation-root-", Union = "union", Volumes = "volumes";

    // Where temporary files may be large and are kept on disk (file-hierarchy(7)).
    private const string Parent = "/var/tmp";
    private readonly string _path;

    private LaunchDirectory(string path) => _path = path;

    internal static string PathOf(string id) => $"{Parent}/{Prefix}{id}";

    internal static string UnionOf(string directory) => $"{directory}/{Union}";

    internal static string VolumeOf(string directory, int number) => FormattableString.Invariant($"{directory}/{Volumes}/{number}");

    /// <summary>Whether it is the path of such a directory.</summary>
    internal static bool IsPath(string path) => path.StartsWith($"{Parent}/{Prefix}", StringComparison.Ordinal)
        && path[(Parent.Length + 1 + Prefix.Length)..] is { Length: LaunchPlanner.IdLength } id && id.All(char.IsAsciiHexDigitLower);

    /// <exception cref="LinuxException">It cannot be made; there may be something at its path already.</exception>
    /// <exception cref="ContainerException">It cannot be recorded.</exception>
    internal static LaunchDirectory Make(string path, PlanInputs inputs, RecordFile? record)
    {
        record?.AddDirectory(path);
        using FileDescriptor parent = FileDescriptor.Open(Parent, Abi.O_RDONLY | TargetAbi.Current.O_DIRECTORY);
        byte[] name = FileName.Of(Path.GetFileName(path));
        // Nobody else may look into it: a set-user-ID program that a container makes is in it.
        Syscall.Check(FileEntries.MakeDirectory(parent, name, 0x1C0), "mkdirat", $"\"{path}\"");
        LaunchDirectory made = new(path);
        try
        {
            // But the container must get through where its root is somebody else to the host.
            if (inputs.NewUser && inputs.Maps is { NeedsMapTools: false } maps && IdentityMaps.ToHost(maps.Groups, 0) is { } group and not 0 && inputs.Host.Has(Capability.Chown))
            {
                Syscall.Check(FileEntries.ChangeOwner(parent, name, inputs.Host.UserId, group), "fchownat", $"\"{path}\", group {group}");
                Syscall.Check(FileEntries.ChangeModeFollowing(parent, name, 0x1C8), "fchmodat", $"\"{path}\", 0710");
            }

            using FileDescriptor directory = FileDescriptor.Open(path, Abi.O_RDONLY | TargetAbi.Current.O_DIRECTORY);
            foreach (string inner in (string[])[Union, Volumes])
                Syscall.Check(FileEntries.MakeDirectory(directory, FileName.Of(inner), 0x1C9 /* 0711 */), "mkdirat", $"\"{path}/{inner}\"");
            return made;
        }
        catch
        {
            made.Remove();
            throw;
        }
    }

    /// <exception cref="LinuxException">A file in it cannot be removed.</exception>
    internal void Remove() => Remove(_path);

    internal static void Remove(string path)
    {
        using FileDescriptor parent = FileDescriptor.Open(Parent, Abi.O_RDONLY | TargetAbi.Current.O_DIRECTORY);
        byte[] name = FileName.Of(Path.GetFileName(path));
        nint result = TreeRemoval.TryRemove(parent, name);
        if (Environment.IsPrivilegedProcess || (!Syscall.Is(result, Errno.EACCES) && !Syscall.Is(result, Errno.EPERM)))
        {
            Syscall.Check(result, "unlinkat", $"\"{path}\"");
            return;
        }

        EmptyAsSubordinates(path);
        TreeRemoval.Remove(parent, name);
    }

    /// <summary>What users of the container other than its root have made belongs to the caller's subordinate ids, and only their namespace may remove it.</summary>
    private static void EmptyAsSubordinates(string path)
    {
        const string Inside = "/tmp/root";
        ContainerSpec spec = new()
        {
            Root = new HostRoot(), SubordinateIds = true, IsUnrecorded = true, Mounts = [new BindMount(path, Inside)],
            Command = ["rm", "-rf", $"{Inside}/{Union}", $"{Inside}/{Volumes}"],
        };
        try
        {
            spec.RunAsync().GetAwaiter().GetResult();
        }
        catch (ContainerException)
        {
            // What is left is told by who tries again.
        }
    }
}
