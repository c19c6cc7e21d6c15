namespace Isolation.Cgroups;

/// <summary>Who makes control groups; what Docker and Kubernetes call the cgroup driver.</summary>
public enum CgroupDriver
{
    /// <summary>
    /// <see cref="Cgroupfs"/> where this process may make groups with the wanted controllers beneath its own, or where a parent
    /// is named, or there is no systemd that answers; else <see cref="Systemd"/>.
    /// </summary>
    Automatic,

    /// <summary>This process, by directories of the file systems <c>cgroup</c> and <c>cgroup2</c> (cgroups(7)).</summary>
    Cgroupfs,

    /// <summary>
    /// systemd: the system's for root, <c>systemd --user</c> for others, asked over D-Bus (org.freedesktop.systemd1(5)). It makes
    /// one transient scope for the process, <c>isolation-PID-RANDOM.scope</c> with <c>Delegate=yes</c>, and moves the calling
    /// process into it the first time that a group is made; the groups are made beneath. The scope goes with its last
    /// process. For v2 alone. The call that makes the first group waits for systemd, up to ten seconds.
    /// </summary>
    Systemd,
}
