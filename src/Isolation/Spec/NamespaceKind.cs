namespace Isolation;

/// <summary>The kinds of namespace of Linux (namespaces(7)).</summary>
public enum NamespaceKind
{
    /// <summary>User and group ids, and capabilities (user_namespaces(7)).</summary>
    User,

    /// <summary>Process ids (pid_namespaces(7)).</summary>
    Pid,

    /// <summary>Network devices, addresses, routes, ports (network_namespaces(7)).</summary>
    Network,

    /// <summary>System V IPC and POSIX message queues (ipc_namespaces(7)).</summary>
    Ipc,

    /// <summary>Mounts (mount_namespaces(7)).</summary>
    Mount,

    /// <summary>Host and domain name (uts_namespaces(7)).</summary>
    Uts,

    /// <summary>The root of the view of control groups (cgroup_namespaces(7)).</summary>
    Cgroup,

    /// <summary>Offsets of the boot and monotonic clocks (time_namespaces(7), Linux 5.6).</summary>
    Time,
}
