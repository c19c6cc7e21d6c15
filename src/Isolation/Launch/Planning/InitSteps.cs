using Isolation.Linux;
using static Isolation.Linux.Abi;
using static Isolation.Linux.SystemCall;

namespace Isolation.Launch;

/// <summary>
/// An init made of the interpreter itself: the first process forks the program, reaps whatever is left to it, and passes
/// the program's wait status on, and what it used. A page or two of memory beside the kernel's own of its stack, and no file.
/// </summary>
internal static class InitSteps
{
    /// <summary>What is passed on: the status word of wait4(2) in eight bytes, then its struct rusage.</summary>
    internal const int StatusSize = 8 + UsageSize;

    private const int UsageSize = 144;

    internal static void Write(PlanWriter writer, PlanInputs inputs)
    {
        Label program = new("the program's process"), again = new("reap"), ended = new("the program has ended");
        Slot child = new("program"), status = new("status", StatusSize);
        DescriptorMessage message = new(DescriptorMessage.ProgramSize);
        writer.For("start the program's process");

        // parent_tid takes the pidfd (clone(2), CLONE_PIDFD), which tells the host of the program.
        writer.Call(clone, Operand.Named(CLONE_PIDFD | SIGCHLD, "CLONE_PIDFD|SIGCHLD"), 0, message.Address, 0, 0).Into(child).When(0, program);
        writer.For("tell the host which process it is");
        message.Send(writer);

        // The streams and the channel are the program's: held here too, nobody would see them end.
        writer.For("let go of all but the way to pass the status on");
        writer.Call(dup3, inputs.Passed.ExitStatus, 0, 0);
        writer.Call(close_range, 1, Operand.Named(uint.MaxValue, "~0"), 0);

        PrivilegeSteps.DropConfining(writer, inputs);

        writer.For("reap until the program ends");
        writer.Mark(again);
        writer.Call(wait4, -1, Operand.AddressOf(status), 0, Operand.AddressOf(status, 8)).When(child, ended);
        writer.Call(getppid).When(0, again); // the parent of the first process of a pid namespace is none in it
        writer.Mark(ended);
        writer.For("pass the status on");
        writer.Call(write, 0, Operand.AddressOf(status), StatusSize).IgnoreErrors();
        writer.Call(exit_group, 0);

        writer.Mark(program);
        NamespaceSteps.ChooseSession(writer, inputs.Spec);
    }
}
