using System.Net;

namespace Isolation;

public sealed partial class ContainerBuilder
{
    /// <summary>Binds a file or directory of the host into the container.</summary>
    /// <param name="source">A path of the host that exists.</param>
    /// <param name="target">An absolute path inside the container; made if it is missing.</param>
    /// <param name="options">Null for a private, recursive, writable bind without device files.</param>
    public ContainerBuilder WithBind(string source, string target, BindOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(source);
        if (options is not null && !Enum.IsDefined(options.Propagation))
            throw new ArgumentOutOfRangeException(nameof(options), options.Propagation, "There is no such propagation.");
        return AddMount(new BindMount(Path.GetFullPath(PathText.Checked(source, nameof(source))), PathText.Target(target, nameof(target))) { Options = options ?? new() });
    }

    /// <summary>Binds a file or directory of the host into the container, to be read only, mounts beneath it included.</summary>
    public ContainerBuilder WithReadOnlyBind(string source, string target) => WithBind(source, target, new() { ReadOnly = true });

    /// <summary>
    /// Mounts a directory of the host that outlives containers. The first time, where nothing is in it yet, it gets what the
    /// layers or the root directory have at the target, with owners, modes and links; with <see cref="FromHost"/> it begins empty.
    /// </summary>
    /// <param name="source">A directory of the host; made if it is missing. It is no mount point itself, and what is beside it can be written, while it is filled.</param>
    /// <param name="target">An absolute path inside the container; made if it is missing.</param>
    public ContainerBuilder WithVolume(string source, string target)
    {
        ArgumentException.ThrowIfNullOrEmpty(source);
        return AddMount(new VolumeMount(Path.TrimEndingDirectorySeparator(Path.GetFullPath(PathText.Checked(source, nameof(source)))), 0, PathText.Target(target, nameof(target))));
    }

    /// <summary>The same with a directory of the container's own, on disk below <c>/var/tmp</c>, that is removed with it. An image that names volumes has one for each where no mount is said.</summary>
    public ContainerBuilder WithVolume(string target) => AddMount(new VolumeMount(null, Draft.Mounts.Length, PathText.Target(target, nameof(target))));

    /// <summary>Mounts a file system in memory, which is this container's alone.</summary>
    /// <param name="target">An absolute path inside the container; made if it is missing.</param>
    /// <param name="options">Null for 64 MiB, mode 01777.</param>
    public ContainerBuilder WithTmpfs(string target, TmpfsOptions? options = null)
    {
        options ??= new();
        if (options.SizeBytes <= 0) throw new ArgumentOutOfRangeException(nameof(options), options.SizeBytes, "The size of a tmpfs is at least one byte.");
        if (options.Inodes is <= 0) throw new ArgumentOutOfRangeException(nameof(options), options.Inodes, "A tmpfs has at least one inode.");
        if (options.Mode is < 0 or > 0xFFF) throw new ArgumentOutOfRangeException(nameof(options), options.Mode, "A mode is 0 to 07777 (octal).");
        return AddMount(new TmpfsMount(PathText.Target(target, nameof(target))) { Options = options });
    }

    /// <summary>The size of the private <c>/tmp</c> in bytes, 256 MiB by default; 0 for none, so that the root's own is seen.</summary>
    public ContainerBuilder WithTmpSize(long bytes) => Set(Draft with { TmpSize = NotNegative(bytes) });

    /// <summary>The size of the private <c>/run</c> in bytes, 64 MiB by default; 0 for none, so that the root's own is seen.</summary>
    public ContainerBuilder WithRunSize(long bytes) => Set(Draft with { RunSize = NotNegative(bytes) });

    /// <summary>The size of the private <c>/dev/shm</c> in bytes, 64 MiB by default.</summary>
    public ContainerBuilder WithSharedMemorySize(long bytes) => Set(Draft with { SharedMemorySize = Positive(bytes) });

    /// <summary>What is at <c>/proc</c>.</summary>
    public ContainerBuilder WithProc(ProcMount proc)
    {
        if (!Enum.IsDefined(proc)) throw new ArgumentOutOfRangeException(nameof(proc), proc, "There is no such choice.");
        return Set(Draft with { Proc = proc });
    }

    /// <summary>What a private <c>/proc</c> shows of other processes. Needs a pid namespace of the container's own, and a kernel that lets a new procfs be made.</summary>
    public ContainerBuilder WithProcOptions(ProcOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (!Enum.IsDefined(options.Hidden)) throw new ArgumentOutOfRangeException(nameof(options), options.Hidden, "There is no such choice.");
        return Set(Draft with { ProcOptions = options });
    }

    /// <summary>Nothing of the root can be written, whatever it is made of; <c>/tmp</c>, <c>/run</c>, <c>/dev/shm</c> and what is mounted can.</summary>
    public ContainerBuilder WithReadOnlyRoot() => Set(Draft with { ReadOnlyRoot = true });

    /// <summary>Hides paths: a file reads as empty, a directory as an empty one. A path that is not there needs no hiding.</summary>
    public ContainerBuilder WithMaskedPath(string path) => Set(Draft with { MaskedPaths = Draft.MaskedPaths.Add(PathText.Target(path, nameof(path))) });

    /// <summary>Makes a path read-only, with all mounts beneath it. A path that is not there is left out.</summary>
    public ContainerBuilder WithReadOnlyPath(string path) => Set(Draft with { ReadOnlyPaths = Draft.ReadOnlyPaths.Add(PathText.Target(path, nameof(path))) });

    /// <summary>A name server for <c>/etc/resolv.conf</c>; the host's, without those on loopback, by default.</summary>
    public ContainerBuilder WithDns(string address)
    {
        if (!IPAddress.TryParse(address, out IPAddress? parsed)) throw new ArgumentException($"'{address}' is not an IP address.", nameof(address));
        return Set(Draft with { DnsServers = Draft.DnsServers.Add(parsed.ToString()) });
    }

    /// <summary>A further line of <c>/etc/hosts</c>.</summary>
    public ContainerBuilder WithHostEntry(string name, string address)
    {
        if (!IPAddress.TryParse(address, out IPAddress? parsed)) throw new ArgumentException($"'{address}' is not an IP address.", nameof(address));
        return Set(Draft with { ExtraHosts = Draft.ExtraHosts.Add((PathText.HostName(name, nameof(name)), parsed.ToString())) });
    }

    private ContainerBuilder AddMount(MountSpec mount) => Set(Draft with { Mounts = Draft.Mounts.Add(mount) });

    private static long NotNegative(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        return bytes;
    }
}
