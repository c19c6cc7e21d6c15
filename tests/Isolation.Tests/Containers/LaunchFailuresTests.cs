using System.Buffers.Binary;
using Isolation.Launch;
using Isolation.Linux;

namespace Isolation.Tests;

/// <summary>What a user is told about a step that failed: the reason, the purpose, the call, the errno, the remedy.</summary>
public class LaunchFailuresTests
{
    private static readonly ContainerSpec Spec = new()
    {
        Command = ["tool"], Root = new HostRoot(), WorkingDirectory = "/place", Environment = ContainerSpec.DefaultEnvironment.SetItem("PATH", "/a:/b"),
        Mounts = [new BindMount("/host/data", "/data")],
    };

    private static readonly Lazy<CompiledLaunch> Launch = new(() => CompiledLaunch.For(new(Spec, new HostFacts { Abi = TargetAbi.Current }), null));

    [Theory]
    [InlineData(Errno.ENOENT, ContainerErrorReason.ProgramNotFound, "'tool' is not in the container in PATH (/a:/b)", "WithEnvironment")]
    [InlineData(Errno.ENOTDIR, ContainerErrorReason.ProgramNotFound, "'tool' is not in the container in PATH (/a:/b)", "WithEnvironment")]
    [InlineData(Errno.EACCES, ContainerErrorReason.ProgramNotExecutable, "'tool' may not be executed", "execute bit")]
    [InlineData(Errno.EPERM, ContainerErrorReason.ProgramNotExecutable, "'tool' may not be executed", "noexec")]
    [InlineData(Errno.ENOEXEC, ContainerErrorReason.ProgramFormat, "'tool' is not one this machine can execute", "another architecture")]
    [InlineData(Errno.E2BIG, ContainerErrorReason.ArgumentsTooLong, "'tool' are longer than the kernel takes", "128 KiB")]
    [InlineData(Errno.EIO, ContainerErrorReason.LaunchFailed, "'tool' could not be started", "")]
    public void The_program(Errno errno, ContainerErrorReason reason, string message, string remedy)
    {
        ContainerException exception = Explain(ExecSteps.Purpose, SystemCall.execve, errno);
        Check(exception, reason, errno, message, remedy);
        Assert.Equal(ExecSteps.Purpose, exception.Purpose);
        Assert.StartsWith("execve(\"", exception.Step, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Errno.ENOENT), InlineData(Errno.ENOTDIR)]
    public void A_program_that_was_denied_in_one_directory_and_is_missing_in_the_last(Errno errno) =>
        Check(Explain(ExecSteps.Purpose, SystemCall.execve, errno, message: Denied()), ContainerErrorReason.ProgramNotExecutable, errno, "'tool' may not be executed", "execute bit");

    [Fact]
    public void A_program_that_is_there_without_its_interpreter() =>
        Check(Explain(ExecSteps.Purpose, SystemCall.execve, Errno.ENOENT, message: new byte[ExecSteps.PresentSize]), ContainerErrorReason.InterpreterNotFound, Errno.ENOENT, "interpreter or dynamic loader", "readelf");

    [Theory]
    [InlineData("enter the working directory '/place'", "openat2", Errno.ENOENT, ContainerErrorReason.WorkingDirectoryNotFound, "directory in the container")]
    [InlineData("enter the working directory '/place'", "fchdir", Errno.EACCES, ContainerErrorReason.WorkingDirectoryNotFound, "directory in the container")]
    [InlineData("open the source '/host/data' of the mount at '/data'", "open_tree", Errno.ENOENT, ContainerErrorReason.MountFailed, "")]
    [InlineData("open the source '/host/data' of the mount at '/data'", "open_tree", Errno.ENOMEM, ContainerErrorReason.ResourceLimit, "")]
    [InlineData("mount the private /dev/shm", "fsopen", Errno.EMFILE, ContainerErrorReason.ResourceLimit, "RLIMIT_NOFILE")]
    [InlineData("mount '/data'", "move_mount", Errno.EPERM, ContainerErrorReason.MountFailed, "")]
    [InlineData("mount '/data'", "mkdirat", Errno.EROFS, ContainerErrorReason.MountFailed, "")]
    [InlineData("make the new namespaces", "unshare", Errno.EPERM, ContainerErrorReason.NamespaceForbidden, "user namespaces")]
    [InlineData("make the new namespaces", "unshare", Errno.ENOSPC, ContainerErrorReason.ResourceLimit, "user.max_*_namespaces")]
    [InlineData("become user 0, group 0", "setresuid", Errno.EINVAL, ContainerErrorReason.IdNotMapped, "identity map")]
    [InlineData("become user 0, group 0", "setresuid", Errno.EPERM, ContainerErrorReason.LaunchFailed, "")]
    [InlineData("become user 0, group 0", "setresgid", Errno.EINVAL, ContainerErrorReason.IdNotMapped, "identity map")]
    [InlineData("bring the loopback interface up", "ioctl", Errno.EPERM, ContainerErrorReason.LaunchFailed, "")]
    [InlineData("set the host name", "sethostname", Errno.EPERM, ContainerErrorReason.LaunchFailed, "")]
    public void A_step(string purpose, string call, Errno errno, ContainerErrorReason reason, string remedy) =>
        Check(Explain(purpose, Enum.Parse<SystemCall>(call), errno), reason, errno, "Cannot " + purpose, remedy);

    private static void Check(ContainerException exception, ContainerErrorReason reason, Errno errno, string message, string remedy)
    {
        Assert.Equal((reason, errno), (exception.Reason, exception.Errno));
        Assert.Contains(message, exception.Message, StringComparison.Ordinal);
        Assert.Contains($"{errno} (", exception.Message, StringComparison.Ordinal);
        Assert.EndsWith(".", exception.Message, StringComparison.Ordinal);
        if (remedy.Length == 0) Assert.Null(exception.Remedy);
        else Assert.Contains(remedy, exception.Remedy, StringComparison.Ordinal);
    }

    private static ContainerException Explain(string purpose, SystemCall call, Errno errno, byte[]? message = null)
    {
        int index = Launch.Value.Plan.Steps.ToList().FindIndex(step => step.Purpose == purpose && step.Call == call);
        Assert.True(index >= 0, $"The plan has no step {call} to {purpose}:\n{Launch.Value.Plan}");
        ChannelMessages messages = new();
        if (message is not null) messages.Add(message);
        byte[] fault = new byte[16];
        BinaryPrimitives.WriteInt64LittleEndian(fault, MachineCode.FirstStep + index * MachineCode.StepSize);
        BinaryPrimitives.WriteInt64LittleEndian(fault.AsSpan(8), -(int)errno);
        messages.Add(fault);
        return LaunchFailures.Explain(Launch.Value, Spec, messages);
    }

    private static byte[] Denied()
    {
        byte[] message = new byte[ExecSteps.DeniedSize];
        BinaryPrimitives.WriteInt64LittleEndian(message, -(int)Errno.EACCES);
        return message;
    }
}
