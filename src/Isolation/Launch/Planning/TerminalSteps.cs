using System.Buffers.Binary;
using Isolation.Linux;
using static Isolation.Linux.Abi;
using static Isolation.Linux.SystemCall;

namespace Isolation.Launch;

/// <summary>
/// A pseudo-terminal of the container's own devpts (pts(4), ioctl_tty(2)): the master goes to the host, the other side
/// becomes the standard streams and the controlling terminal.
/// </summary>
internal static class TerminalSteps
{
    private static readonly Operand ReadWrite = Operand.Named(O_RDWR | O_NOCTTY | O_CLOEXEC, "O_RDWR|O_NOCTTY|O_CLOEXEC");

    internal static void Open(PlanWriter writer, PlanInputs inputs)
    {
        if (inputs.Spec.Terminal is not { } size) return;
        DescriptorMessage message = new(DescriptorMessage.TerminalSize);
        writer.For("open a pseudo-terminal");
        LaunchStep open = inputs.Host.HasOpenAt2
            ? writer.Call(openat2, Operand.CurrentDirectory, "/dev/pts/ptmx", KernelStructs.OpenHow(O_RDWR | O_NOCTTY | O_CLOEXEC, 0, RESOLVE_NO_SYMLINKS, "{O_RDWR|O_NOCTTY|O_CLOEXEC, RESOLVE_NO_SYMLINKS}"), 24)
            : writer.Call(openat, Operand.CurrentDirectory, "/dev/pts/ptmx", ReadWrite);
        message.Take(open);
        writer.Call(ioctl, message.Descriptor, Operand.Named(TIOCSPTLCK, "TIOCSPTLCK"), Operand.Bytes(new byte[8], "[0]"));

        // By the master and not by name: nothing that lies at a path is trusted (Linux 4.13).
        Slot terminal = writer.CallInto("terminal", ioctl, message.Descriptor, Operand.Named(TIOCGPTPEER, "TIOCGPTPEER"), ReadWrite);
        byte[] window = new byte[8]; // struct winsize
        BinaryPrimitives.WriteUInt16LittleEndian(window, (ushort)size.Rows);
        BinaryPrimitives.WriteUInt16LittleEndian(window.AsSpan(2), (ushort)size.Columns);
        writer.Call(ioctl, terminal, Operand.Named(TIOCSWINSZ, "TIOCSWINSZ"), Operand.Bytes(window, $"{{{size.Rows}, {size.Columns}}}"));
        OciFilesystemSteps.Console(writer, inputs, terminal);
        writer.For("hand the terminal over to the host");
        message.Send(writer);
        writer.For("make the terminal the standard streams");
        for (int descriptor = 0; descriptor <= 2; descriptor++) writer.Call(dup3, terminal, descriptor, 0);
        writer.Call(fchown, 0, inputs.Identity.UserId, Operand.Named(-1L, "-1")).IgnoreErrors();
    }

    /// <summary>By the leader of the session, which is the process that becomes the program.</summary>
    internal static void Control(PlanWriter writer, PlanInputs inputs)
    {
        if (inputs.Spec.Terminal is null) return;
        writer.For("make the terminal the controlling terminal");
        writer.Call(ioctl, 0, Operand.Named(TIOCSCTTY, "TIOCSCTTY"), 0);
    }
}
