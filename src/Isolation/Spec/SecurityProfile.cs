namespace Isolation;

/// <summary>How far a program is confined; each is a set of what can also be said one by one.</summary>
public enum SecurityProfile
{
    /// <summary>
    /// What a container is without a word, and somewhat more than <c>docker run</c>: the common capabilities without mknod, <see cref="SeccompPolicy.Default"/>,
    /// <c>no_new_privs</c>, a user namespace, masks over <c>/proc</c> and <c>/sys</c>.
    /// </summary>
    Default,

    /// <summary>
    /// For programs that need no privileges: no capabilities, <see cref="SeccompPolicy.Strict"/>, processes of other users hidden, and Landlock's scopes where
    /// the kernel has them.
    /// </summary>
    Strict,

    /// <summary>
    /// For code that nobody trusts: <see cref="Strict"/>, and a network namespace with loopback alone, a root that cannot be written, one id that owns nothing (65534), only
    /// the directories of processes in <c>/proc</c>, 512 MiB of memory, one processor and 256 processes where the caller may set such limits
    /// (<see cref="Container.Enforcement"/> tells), no core files, files of at most 64 MiB, and a minute of time unless a timeout was said.
    /// </summary>
    Untrusted,

    /// <summary>Hardly confined; see <see cref="ContainerBuilder.WithPrivileged"/>.</summary>
    Privileged,
}
