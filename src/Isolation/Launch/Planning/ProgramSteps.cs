using Isolation.Linux;
using static Isolation.Linux.Abi;
using static Isolation.Linux.SystemCall;

namespace Isolation.Launch;

/// <summary>Privileges are given up, signals set as a program expects them, and the program started.</summary>
internal static class ProgramSteps
{
    internal static void Write(PlanWriter writer, PlanNotes notes, PlanInputs inputs)
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
        ResourceSteps.Schedule(writer, inputs.Spec);
        if (inputs.Spec.Personality is { } persona)
        {
            writer.For("set the execution domain");
            writer.Call(personality, (long)persona);
        }

        HandOverOutput(writer, inputs);
        PrivilegeSteps.DropBounding(writer, inputs);
        PrivilegeSteps.SetIdentity(writer, inputs);
        if (!inputs.Spec.KeepsKeyring) PrivilegeSteps.NewKeyring(writer, notes);
        PrivilegeSteps.KeepGranted(writer, inputs);
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

        // Who hears of filtered calls is given that by the host, which need not be there any more when the word to start comes.
        bool unheard = SeccompSteps.IsUnheard(inputs);
        if (unheard) StageSteps.LookForProgram(writer, inputs);
        else StageSteps.WaitAtGate(writer, inputs);
        landlock?.Enforce(writer);
        SeccompSteps.Write(writer, inputs);
        PrivilegeSteps.DropConfining(writer, inputs);
        if (unheard) StageSteps.WaitUnheard(writer, inputs);
        ExecSteps.Write(writer, inputs.Spec, inputs.Identity);
    }

    private static void EnterDirectory(PlanWriter writer, PlanInputs inputs)
    {
        writer.For(RootSteps.EnterPurpose(inputs.Spec));
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
