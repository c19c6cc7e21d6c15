namespace Isolation;

/// <summary>How a container of a bundle is made.</summary>
public sealed record OciCreateOptions
{
    /// <summary>The directory with <c>config.json</c>.</summary>
    public required string Bundle { get; init; }

    /// <summary>An AF_UNIX socket that the master of the program's terminal is sent to (SCM_RIGHTS). Needed where the configuration has <c>terminal</c> and nobody else takes it.</summary>
    public string? ConsoleSocket { get; init; }

    /// <summary>An AF_UNIX socket that a descriptor of the process (pidfd_open(2)) is sent to (SCM_RIGHTS), before <see cref="PidFile"/> is written.</summary>
    public string? PidfdSocket { get; init; }

    /// <summary>Where the number of the first process is written to, last of all.</summary>
    public string? PidFile { get; init; }

    /// <summary>How many descriptors of this process from 3 on stay the program's.</summary>
    public int PreservedDescriptors { get; init; }

    /// <summary>
    /// The exit status of the program stays for the process that adopts it when this one ends: a subreaper above it (prctl(2)), as the shim of an engine is. Else this process takes it.
    /// </summary>
    public bool LeavesExitStatus { get; init; }

    /// <summary>The program keeps the caller's session keyring.</summary>
    public bool KeepsKeyring { get; init; }

    /// <summary>
    /// The root of the host is covered and not detached (chroot(2) instead of pivot_root(2)): for a machine that runs from its initramfs, whose root cannot be replaced. Weaker:
    /// a program with CAP_SYS_CHROOT can get out.
    /// </summary>
    public bool NoPivot { get; init; }

    /// <summary>Control groups are made by systemd: <c>linux.cgroupsPath</c> is <c>slice:prefix:name</c>.</summary>
    public bool SystemdCgroup { get; init; }
}

/// <summary>A further program of a container.</summary>
public sealed record OciExecOptions
{
    /// <summary>The object <c>process</c> of a configuration, as JSON. Null for the container's own, with what is given below.</summary>
    public string? ProcessJson { get; init; }

    /// <summary>The program and its arguments.</summary>
    public IReadOnlyList<string> Command { get; init; } = [];

    /// <summary><c>NAME=value</c>, beside those of the container's own program.</summary>
    public IReadOnlyList<string> Environment { get; init; } = [];

    /// <summary>Null for that of the container's own program.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary><c>uid[:gid]</c>.</summary>
    public string? User { get; init; }

    /// <summary>Groups besides.</summary>
    public IReadOnlyList<uint> AdditionalGroups { get; init; } = [];

    /// <summary>Capabilities besides those of the container's own program, as <c>CAP_NET_ADMIN</c>.</summary>
    public IReadOnlyList<string> Capabilities { get; init; } = [];

    /// <summary>The AppArmor profile it is confined by; null for that of the container's own program.</summary>
    public string? AppArmorProfile { get; init; }

    /// <summary>Its SELinux label; null for that of the container's own program.</summary>
    public string? SelinuxLabel { get; init; }

    /// <summary>Whether it has a terminal of its own; null for what the JSON says.</summary>
    public bool? Terminal { get; init; }

    /// <summary>Whether it may gain no privileges; null for what the configuration says.</summary>
    public bool? NoNewPrivileges { get; init; }

    /// <inheritdoc cref="OciCreateOptions.ConsoleSocket"/>
    public string? ConsoleSocket { get; init; }

    /// <inheritdoc cref="OciCreateOptions.PidfdSocket"/>
    public string? PidfdSocket { get; init; }

    /// <inheritdoc cref="OciCreateOptions.PidFile"/>
    public string? PidFile { get; init; }

    /// <summary>
    /// Groups below those of the container that it is put into: <c>path</c>, and on v1 also <c>controller[,controller...]:path</c>. They have to be there. Without one it is in the container's own,
    /// or where that takes no processes, because the container has divided it (cgroup-v2.rst, "No Internal Process Constraint"), in that of the container's first process.
    /// </summary>
    public IReadOnlyList<string> ControlGroups { get; init; } = [];

    /// <summary>It may be started while the container is paused, and then waits until that goes on.</summary>
    public bool IgnoresPause { get; init; }

    /// <inheritdoc cref="OciCreateOptions.LeavesExitStatus"/>
    public bool LeavesExitStatus { get; init; }

    /// <inheritdoc cref="OciCreateOptions.PreservedDescriptors"/>
    public int PreservedDescriptors { get; init; }
}
