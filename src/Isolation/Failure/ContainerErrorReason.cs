namespace Isolation;

/// <summary>Why a container could not be started, or its files not be reached.</summary>
public enum ContainerErrorReason
{
    /// <summary>A step of the launch failed; the exception names it.</summary>
    LaunchFailed,

    /// <summary>The program, or no candidate for it in PATH, is in the container (ENOENT).</summary>
    ProgramNotFound,

    /// <summary>The program is there and may not be executed: its mode, a noexec mount, or it is a directory (EACCES).</summary>
    ProgramNotExecutable,

    /// <summary>The program is not one this machine can execute: another architecture, or not a program (ENOEXEC).</summary>
    ProgramFormat,

    /// <summary>The program is there, but the interpreter or dynamic loader that it names is not.</summary>
    InterpreterNotFound,

    /// <summary>Arguments and environment together are longer than the kernel takes (E2BIG).</summary>
    ArgumentsTooLong,

    /// <summary>The user is not in the container's <c>/etc/passwd</c>.</summary>
    UserNotFound,

    /// <summary>The group is not in the container's <c>/etc/group</c>.</summary>
    GroupNotFound,

    /// <summary>The user or group id is not in the container's identity map.</summary>
    IdNotMapped,

    /// <summary>The working directory is not in the container, or is not a directory.</summary>
    WorkingDirectoryNotFound,

    /// <summary>The host forbids a namespace that was asked for; the exception says which setting does.</summary>
    NamespaceForbidden,

    /// <summary>The identity map was refused.</summary>
    IdentityMapFailed,

    /// <summary>A namespace, process or container to join does not exist any more.</summary>
    NamespaceNotFound,

    /// <summary>A mount failed.</summary>
    MountFailed,

    /// <summary>A limit of this process or of the host is reached: descriptors, processes, namespaces, memory.</summary>
    ResourceLimit,

    /// <summary>A control group for the limits that were asked for may not be made here; the exception says what helps.</summary>
    LimitForbidden,

    /// <summary>A limit that was asked for cannot be had on this machine, or the kernel refused its value.</summary>
    LimitRefused,

    /// <summary>A file of the container could not be found, read, written or copied; the exception's errno says why.</summary>
    FileAccessFailed,

    /// <summary>The state directory, in which every container is recorded before it is made, cannot be used: see <see cref="IsolationHost"/>.</summary>
    StateUnavailable,

    /// <summary>A defence that was asked for cannot be had: the kernel has none such, or the caller may not put it in force.</summary>
    SecurityUnavailable,
}
