using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Isolation.Linux;
using static Isolation.Linux.Abi;
using static Isolation.Linux.SystemCall;

namespace Isolation.Launch;

/// <summary>The filter on system calls is put in force: the last thing before the program, whose start it must allow.</summary>
internal static class SeccompSteps
{
    private const int InstructionSize = 8;

    internal static void Write(PlanWriter writer, PlanInputs inputs)
    {
        if (inputs.Filter is not { } policy) return;
        if (policy.Notifies) policy = policy.With(Reports(inputs));
        ImmutableArray<BpfInstruction> program = SeccompCompiler.Get(policy, inputs.Spec.Capabilities, inputs.Host.Abi.Architecture == Architecture.Arm64);
        byte[] code = new byte[program.Length * InstructionSize], header = new byte[16]; // struct sock_filter[], struct sock_fprog
        for (int i = 0; i < program.Length; i++)
        {
            Span<byte> at = code.AsSpan(i * InstructionSize);
            BinaryPrimitives.WriteUInt16LittleEndian(at, program[i].Code);
            (at[2], at[3]) = (program[i].True, program[i].False);
            BinaryPrimitives.WriteUInt32LittleEndian(at[4..], program[i].Operand);
        }

        BinaryPrimitives.WriteUInt16LittleEndian(header, (ushort)program.Length);
        Slot filter = new("filter", code.Length) { Initial = code, IsUnwritten = true }, description = new("struct sock_fprog", header.Length) { Initial = header, Pointers = [(8, filter)] };
        writer.For("filter system calls");
        if (!policy.Notifies)
        {
            writer.Call(seccomp, Operand.Named(SECCOMP_SET_MODE_FILTER, "SECCOMP_SET_MODE_FILTER"), 0, Operand.AddressOf(description));
            return;
        }

        // A signal that does not kill leaves a call waiting: made anew, it would be decided about twice.
        DescriptorMessage message = new(DescriptorMessage.ListenerSize);
        Operand flags = inputs.Host.HasKillableListeners
            ? Operand.Named(SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, "SECCOMP_FILTER_FLAG_NEW_LISTENER|SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV")
            : Operand.Named(SECCOMP_FILTER_FLAG_NEW_LISTENER, "SECCOMP_FILTER_FLAG_NEW_LISTENER");
        message.Take(writer.Call(seccomp, Operand.Named(SECCOMP_SET_MODE_FILTER, "SECCOMP_SET_MODE_FILTER"), flags, Operand.AddressOf(description)));
        writer.For("hand over to the host who hears of filtered calls");
        message.Send(writer, writer.Channel, Unheard);
    }

    /// <summary>Whether nobody may hear yet of what the steps that follow the filter do.</summary>
    internal static bool IsUnheard(PlanInputs inputs) => inputs.Filter?.Notifies == true;

    /// <summary>Flags that mean nothing on a socket of its kind, and that no program combines: by them the filter knows what must not wait for an answer, since nobody hears yet.</summary>
    internal const int Unheard = MSG_CONFIRM | MSG_NOSIGNAL;

    /// <summary>Likewise of the wait for the word to start: as many bytes as nobody asks for.</summary>
    internal const int UnheardCount = 4093;

    private static SeccompRule[] Reports(PlanInputs inputs)
    {
        int channel = inputs.Passed.Channel;
        SeccompRule[] reports =
        [
            new(["sendmsg"], SeccompAction.Allow) { Conditions = [SeccompCondition.Equal(0, (ulong)channel), SeccompCondition.Equal(2, Unheard)] },
            new(["sendto"], SeccompAction.Allow) { Conditions = [SeccompCondition.Equal(0, (ulong)channel), SeccompCondition.Equal(3, Unheard)] },
            new(["exit_group"], SeccompAction.Allow) { Conditions = [SeccompCondition.Equal(0, 127)] },
        ];
        return !inputs.Spec.HasGate ? reports
            : [.. reports, new(["read"], SeccompAction.Allow) { Conditions = [SeccompCondition.Equal(0, (ulong)inputs.Passed.Gate), SeccompCondition.Equal(2, UnheardCount)] }];
    }
}
