using System.Buffers.Binary;
using Isolation.Launch;
using Isolation.Linux;

namespace Isolation;

/// <summary>
/// What a child said over its channel before its program started. A message is known by its length: the interpreter
/// has no other way to say which one it is.
/// </summary>
internal sealed class ChannelMessages
{
    internal const int Longest = 64;
    private const int NoteSize = 1, ProcessIdSize = 8, FaultSize = MachineCode.FirstStep;

    internal List<int>? Notes { get; private set; }

    /// <summary>The last stage that was reached.</summary>
    internal LaunchStage Stage { get; set; }

    /// <summary>The failing step's index and errno, as -errno; null while all is well.</summary>
    internal (int Step, int Result)? Fault { get; private set; }

    /// <summary>A candidate for the program was there but may not be executed.</summary>
    internal bool ProgramDenied { get; private set; }

    /// <summary>A candidate for the program is there, though the kernel says it is not: its interpreter is missing.</summary>
    internal bool ProgramPresent { get; private set; }

    /// <summary>The program that an init has started, by its pidfd.</summary>
    internal PidDescriptor? Program { get; private set; }

    /// <summary>The master of the program's terminal.</summary>
    internal FileDescriptor? Terminal { get; private set; }

    /// <summary>The directory that takes what the container writes.</summary>
    internal FileDescriptor? Layer { get; private set; }

    /// <summary>Who hears of the calls that a filter leaves to the host.</summary>
    internal FileDescriptor? Listener { get; private set; }

    /// <summary>Takes a message in that came with a descriptor.</summary>
    internal void Add(ReadOnlySpan<byte> message, FileDescriptor descriptor)
    {
        switch (message.Length)
        {
            case DescriptorMessage.ProgramSize:
                using (descriptor) Program = PidDescriptor.Duplicate(descriptor);
                break;
            case DescriptorMessage.TerminalSize:
                Terminal = descriptor;
                break;
            case DescriptorMessage.LayerSize:
                Layer = descriptor;
                break;
            case DescriptorMessage.ListenerSize:
                Listener = descriptor;
                break;
            default:
                descriptor.Dispose();
                break;
        }
    }

    /// <summary>Takes one message in; returns the pid it announces, or 0.</summary>
    internal int Add(ReadOnlySpan<byte> message)
    {
        switch (message.Length)
        {
            case NoteSize:
                (Notes ??= []).Add(message[0]);
                break;
            case StageSteps.StageSize:
                Stage = (LaunchStage)message[0];
                break;
            case ProcessIdSize:
                return (int)BinaryPrimitives.ReadInt64LittleEndian(message);
            case FaultSize:
                int offset = (int)BinaryPrimitives.ReadInt64LittleEndian(message);
                Fault = ((offset - MachineCode.FirstStep) / MachineCode.StepSize, (int)BinaryPrimitives.ReadInt64LittleEndian(message[8..]));
                break;
            case ExecSteps.PresentSize or ExecSteps.DeniedSize:
                // What was denied is there as well.
                ProgramDenied = BinaryPrimitives.ReadInt64LittleEndian(message) != 0;
                ProgramPresent = message.Length == ExecSteps.PresentSize && !ProgramDenied;
                break;
        }

        return 0;
    }
}
