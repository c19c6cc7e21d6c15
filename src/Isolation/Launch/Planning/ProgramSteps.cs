using System.Buffers.Binary;
using Isolation.Linux;
using static Isolation.Linux.Abi;
using static Isolation.Linux.SystemCall;

namespace Isolation.Launch;

/// <summary>Privileges are given up, signals set as a program expects them, and the program started.</summary>
internal static class ProgramSteps
{
    internal static void Write(PlanWriter writer, PlanInputs inputs)
    {
        if (inputs.Spec.SignalAll != 0)
        {
            writer.For("signal every process of the pid namespace");
            writer.Call(kill, -1, inputs.Spec.SignalAll).Tolerate(Errno.ESRCH);
            writer.Call(exit_group, 0);
            return;
        }

        if (inputs.Spec.ServesFiles)
        {
            FileAgentSteps.Write(writer);
            return;
        }

        if (!inputs.Spec.Namespaces.IsNew(NamespaceKind.Mount)) EnterDirectory(writer, inputs);
        TerminalSteps.Open(writer, inputs);
        LandlockSteps? landlock = LandlockSteps.Make(writer, inputs);
        ResourceSteps.Limit(writer, inputs.Spec);
        HandOverOutput(writer, inputs);
        DropBounding(writer, inputs);
        SetIdentity(writer, inputs);
        DropCapabilities(writer, inputs);
        if (inputs.Spec.NoNewPrivileges)
        {
            writer.For("forbid new privileges");
            writer.Call(prctl, Operand.Named(PR_SET_NO_NEW_PRIVS, "PR_SET_NO_NEW_PRIVS"), 1, 0, 0, 0);
        }

        writer.For("set the file mode creation mask");
        writer.Call(umask, Operand.Octal(inputs.Spec.Umask));
        if (!inputs.Spec.OutlivesHost) DieWithHost(writer);
        ResetSignals(writer, inputs);
        if (inputs.Spec.Init) InitSteps.Write(writer, inputs);
        TerminalSteps.Control(writer, inputs);
        DescriptorSteps.KeepRequested(writer, inputs);
        if (inputs.Spec.IsProbe)
        {
            writer.For("end, because it was only asked whether it gets this far");
            writer.Call(exit_group, 0);
            return;
        }

        landlock?.Enforce(writer);
        SeccompSteps.Write(writer, inputs);
        ExecSteps.Write(writer, inputs.Spec, inputs.Identity);
    }

    private static void EnterDirectory(PlanWriter writer, PlanInputs inputs)
    {
        writer.For($"enter the working directory '{inputs.Spec.WorkingDirectory}'");
        if (!inputs.Host.HasOpenAt2)
        {
            writer.Call(chdir, inputs.Spec.WorkingDirectory);
            return;
        }

        // Not through a descriptor of this process, which /proc/self/fd would lead to (CVE-2024-21626).
        Slot directory = writer.CallInto("working directory", openat2, Operand.CurrentDirectory, inputs.Spec.WorkingDirectory,
            KernelStructs.OpenHow((uint)(O_PATH | O_CLOEXEC | inputs.Host.Abi.O_DIRECTORY), 0, RESOLVE_NO_MAGICLINKS, "{O_PATH|O_CLOEXEC|O_DIRECTORY, RESOLVE_NO_MAGICLINKS}"), 24);
        writer.Call(fchdir, directory);
    }

    // So that a program that is not root can open /dev/stdout: the pipes are the host's, mode 0600. Nothing but those
    // pipes: the host's null device, or a file of the caller, is not the container's to own.
    private static void HandOverOutput(PlanWriter writer, PlanInputs inputs)
    {
        if (inputs.Identity is { UserId: 0, GroupId: 0 } || inputs.Spec.Terminal is not null) return;
        OutputTarget output = inputs.Spec.Output, error = inputs.Spec.Error is MergedTarget ? output : inputs.Spec.Error;
        writer.For("hand the output pipes over to the user");
        foreach ((int descriptor, OutputTarget target) in (ReadOnlySpan<(int, OutputTarget)>)[(1, output), (2, error)])
            if (target.IsOwnPipe) writer.Call(fchown, descriptor, inputs.Identity.UserId, inputs.Identity.GroupId).IgnoreErrors();
    }

    // Before the user changes, because dropping takes CAP_SETPCAP.
    private static void DropBounding(PlanWriter writer, PlanInputs inputs)
    {
        writer.For("drop the capabilities that are not granted from the bounding set");
        for (int capability = 0; inputs.CanDropBounding && capability <= inputs.Host.LastCapability; capability++)
            if (!inputs.Spec.Capabilities.Has(capability))
                writer.Call(prctl, Operand.Named(PR_CAPBSET_DROP, "PR_CAPBSET_DROP"), capability, 0, 0, 0);
        writer.For("clear the ambient capabilities");
        writer.Call(prctl, Operand.Named(PR_CAP_AMBIENT, "PR_CAP_AMBIENT"),
            Operand.Named(PR_CAP_AMBIENT_CLEAR_ALL, "PR_CAP_AMBIENT_CLEAR_ALL"), 0, 0, 0);
    }

    private static void SetIdentity(PlanWriter writer, PlanInputs inputs)
    {
        Identity identity = inputs.Identity;
        writer.For($"become user {identity.UserId}, group {identity.GroupId}");
        bool allowed = inputs.NewUser
            ? IdentityMaps.For(inputs.Spec, inputs.Host).AllowsSetGroups
            : inputs.Spec.Namespaces.IsJoined(NamespaceKind.User) || (inputs.Host.Has(Capability.Setgid) && inputs.Host.AllowsSetGroups);
        if (allowed)
        {
            byte[] groups = new byte[Math.Max(4, identity.Groups.Length * 4)];
            for (int i = 0; i < identity.Groups.Length; i++)
                BinaryPrimitives.WriteUInt32LittleEndian(groups.AsSpan(4 * i), identity.Groups[i]);
            LaunchStep step = writer.Call(setgroups, identity.Groups.Length, Operand.Bytes(groups, $"[{string.Join(", ", identity.Groups)}]"));
            if (inputs.Spec.Namespaces.IsJoined(NamespaceKind.User)) step.Tolerate(Errno.EPERM);
        }

        writer.Call(setresgid, identity.GroupId, identity.GroupId, identity.GroupId);
        writer.Call(setresuid, identity.UserId, identity.UserId, identity.UserId);
    }

    // The inheritable set stays empty (CVE-2022-24769); a program that is not root starts with none.
    private static void DropCapabilities(PlanWriter writer, PlanInputs inputs)
    {
        ulong granted = inputs.Identity.UserId == 0 ? inputs.Spec.Capabilities.Bits & Mask(inputs.Host.LastCapability) : 0;
        if (inputs.Spec.Namespaces.IsHost(NamespaceKind.User)) granted &= inputs.Host.Capabilities.Bits;
        byte[] header = new byte[8], data = new byte[24];
        BinaryPrimitives.WriteUInt32LittleEndian(header, _LINUX_CAPABILITY_VERSION_3);
        for (int half = 0; half < 2; half++)
        {
            uint bits = (uint)(granted >> (32 * half));
            BinaryPrimitives.WriteUInt32LittleEndian(data.AsSpan(12 * half), bits); // effective
            BinaryPrimitives.WriteUInt32LittleEndian(data.AsSpan(12 * half + 4), bits); // permitted
        }

        writer.For("keep only the granted capabilities");
        writer.Call(capset, Operand.Bytes(header, "{_LINUX_CAPABILITY_VERSION_3, 0}"),
            Operand.Bytes(data, FormattableString.Invariant($"{{effective=0x{granted:x}, permitted=0x{granted:x}, inheritable=0}}")));
    }

    private static ulong Mask(int lastCapability) => lastCapability >= 63 ? ulong.MaxValue : (1UL << (lastCapability + 1)) - 1;

    // Changing credentials clears the death signal (prctl(2)), so it is set again; and the host may have died between.
    private static void DieWithHost(PlanWriter writer)
    {
        Label alive = new("the host is alive");
        Slot peeked = new("peeked");
        writer.For("die with the host");
        writer.Call(prctl, Operand.Named(PR_SET_PDEATHSIG, "PR_SET_PDEATHSIG"), Operand.Named(SIGKILL, "SIGKILL"));
        writer.Call(recvfrom, writer.Channel, Operand.AddressOf(peeked), 1,
            Operand.Named(MSG_PEEK | MSG_DONTWAIT, "MSG_PEEK|MSG_DONTWAIT"), Operand.Null, Operand.Null).When(-(int)Errno.EAGAIN, alive);
        writer.For("end quietly, because the host ended");
        writer.Call(exit_group, 127);
        writer.Mark(alive);
    }

    private static void ResetSignals(PlanWriter writer, PlanInputs inputs)
    {
        writer.For("give signals their default meaning and unblock them");
        foreach (int signal in inputs.Host.IgnoredSignals)
            writer.Call(rt_sigaction, signal, Operand.Bytes(new byte[32], "{SIG_DFL}"), Operand.Null, 8);
        writer.Call(rt_sigprocmask, Operand.Named(SIG_SETMASK, "SIG_SETMASK"), Operand.Bytes(new byte[8], "[]"), Operand.Null, 8);
    }
}
