using Isolation.Launch;
using Isolation.Linux;

namespace Isolation;

/// <summary>Turns a failing step into the exception that a user understands.</summary>
internal static class LaunchFailures
{
    internal static ContainerException Explain(CompiledLaunch launch, ContainerSpec spec, ChannelMessages messages)
    {
        (int index, int result) = messages.Fault!.Value;
        LaunchStep step = launch.Plan.Steps[index];
        LinuxException cause = Syscall.Failure(result, step.Call.ToString(), string.Join(", ", step.Operands));
        (ContainerErrorReason reason, string message, string? remedy) = step.Purpose == ExecSteps.Purpose
            ? Program(spec, cause.Errno, messages)
            : Step(step, cause.Errno);
        return new ContainerException(reason, message, cause, remedy ?? cause.Remedy) { Purpose = step.Purpose, Step = step.ToString() };
    }

    /// <summary>What the host's part of a launch met, before there was a child or while there was no plan to speak of.</summary>
    internal static ContainerException Preparing(LinuxException cause) => new(
        IsLimit(cause.Errno) ? ContainerErrorReason.ResourceLimit : ContainerErrorReason.LaunchFailed, "Cannot prepare the launch", cause, cause.Remedy);

    /// <summary>The namespaces of a container that is ending refuse newcomers, in several ways, or kill who has just come in (EPIPE).</summary>
    internal static bool MayMeanAnEnd(ContainerException exception) =>
        exception.Reason == ContainerErrorReason.NamespaceNotFound || exception.Errno == Errno.EPIPE || (exception.Purpose is not null && exception.Errno is Errno.ENOMEM or Errno.ESRCH or Errno.ENODEV);

    internal static bool IsLimit(Errno errno) => errno is Errno.ENOMEM or Errno.EMFILE or Errno.ENFILE or Errno.EAGAIN;

    private static (ContainerErrorReason, string, string?) Program(ContainerSpec spec, Errno errno, ChannelMessages messages)
    {
        string name = spec.Command[0];
        string where = name.Contains('/') ? "" : $" in PATH ({spec.Environment.GetValueOrDefault("PATH")})";
        if (errno == Errno.ENOENT && messages.ProgramPresent)
        {
            return (ContainerErrorReason.InterpreterNotFound, $"The program '{name}' is in the container, but its interpreter or dynamic loader is not",
                "put the loader that it names (readelf -l, or its #! line) into the root file system, or link it statically");
        }

        if (errno is Errno.ENOENT or Errno.ENOTDIR && !messages.ProgramDenied)
            return (ContainerErrorReason.ProgramNotFound, $"The program '{name}' is not in the container{where}", "give the path inside the container, or set PATH with WithEnvironment");
        return errno switch
        {
            Errno.ENOENT or Errno.ENOTDIR or Errno.EACCES or Errno.EPERM => (ContainerErrorReason.ProgramNotExecutable, $"The program '{name}' may not be executed{where}",
                "it must be a regular file with an execute bit for this user, and not on a noexec mount"),
            Errno.ENOEXEC => (ContainerErrorReason.ProgramFormat, $"The program '{name}' is not one this machine can execute",
                "it is for another architecture, or a script without a #! line"),
            Errno.E2BIG => (ContainerErrorReason.ArgumentsTooLong, $"The arguments and environment of '{name}' are longer than the kernel takes",
                "one string takes 128 KiB at most, and all together a quarter of the stack limit (execve(2))"),
            _ => (ContainerErrorReason.LaunchFailed, $"The program '{name}' could not be started", null),
        };
    }

    private static (ContainerErrorReason, string, string?) Step(LaunchStep step, Errno errno)
    {
        string message = $"Cannot {step.Purpose}";
        if (step.Purpose.StartsWith("enter the working directory", StringComparison.Ordinal))
            return (ContainerErrorReason.WorkingDirectoryNotFound, message, "it must be a directory in the container");
        if (step.Purpose.StartsWith(SelinuxSteps.Purpose, StringComparison.Ordinal))
        {
            return (ContainerErrorReason.SecurityUnavailable, message, errno switch
            {
                Errno.EINVAL => "the policy that is loaded does not know this label",
                Errno.EACCES or Errno.EPERM => "the policy does not let this process choose labels for what it executes (process setexec, setkeycreate)",
                _ => null,
            });
        }

        if (step.Purpose.StartsWith(AppArmorSteps.Purpose, StringComparison.Ordinal))
        {
            return (ContainerErrorReason.SecurityUnavailable, message, errno switch
            {
                Errno.ENOENT => "it is not loaded: AppArmorProfiles.LoadAsync, or apparmor_parser -r, loads it as root",
                Errno.EACCES or Errno.EPERM => "this process's own profile must allow change_profile to it",
                _ => null,
            });
        }

        if (IsLimit(errno) || (errno is Errno.ENOSPC or Errno.EUSERS && step.Call is SystemCall.unshare or SystemCall.clone))
            return (ContainerErrorReason.ResourceLimit, message, null);
        if (step.Call is SystemCall.fsconfig or SystemCall.fsmount && step.Purpose.StartsWith("lay a private layer", StringComparison.Ordinal))
        {
            return (ContainerErrorReason.MountFailed, message,
                "the kernel refuses an overlay here: in a user namespace it needs Linux 5.11, overlays stack two deep, and mounts beneath the directory forbid it in a user namespace; "
                + "make the missing mount points in the directory and use RootAccess.ReadOnly, or use RootAccess.ReadWrite");
        }

        return step.Call switch
        {
            SystemCall.unshare or SystemCall.setns => (ContainerErrorReason.NamespaceForbidden, message, null),
            SystemCall.setresuid or SystemCall.setresgid when errno == Errno.EINVAL => (ContainerErrorReason.IdNotMapped, message, "add the id to the identity map"),
            SystemCall.open_tree or SystemCall.move_mount or SystemCall.fsopen or SystemCall.fsconfig or SystemCall.fsmount
                or SystemCall.mount_setattr or SystemCall.mount or SystemCall.openat2 or SystemCall.mkdirat => (ContainerErrorReason.MountFailed, message, null),
            _ => (ContainerErrorReason.LaunchFailed, message, null),
        };
    }
}
