using Isolation.Linux;
using static Isolation.Linux.Abi;
using static Isolation.Linux.SystemCall;

namespace Isolation.Launch;

/// <summary>Where a launch waits: for what the host does at a stage, and for the word to start the program.</summary>
internal static class StageSteps
{
    /// <summary>Length of the message that says which stage was reached; its first byte is the stage.</summary>
    internal const int StageSize = 3;

    internal static void Wait(PlanWriter writer, PlanInputs inputs, LaunchStage stage)
    {
        if (inputs.Spec.OnStage is null) return;
        Tell(writer, stage);
        NamespaceSteps.WaitForHost(writer, new Slot("go on", LaunchPlanner.GoSize), "wait for what the host does here");
    }

    /// <summary>
    /// The program is looked for first, so that one that is not there is known before anybody is told to start it. Then it waits for a byte from a FIFO, which whoever
    /// knows its name may write: the host that made the container need not be there any more. Nothing else is told to it afterwards.
    /// </summary>
    internal static void WaitAtGate(PlanWriter writer, PlanInputs inputs)
    {
        if (!inputs.Spec.HasGate) return;
        Label found = new("the program is there"), missing = new("the program is not there");
        writer.For("look whether the program is there");
        IReadOnlyList<string> candidates = ExecSteps.Candidates(inputs.Spec);
        for (int i = 0; i < candidates.Count; i++)
        {
            LaunchStep look = writer.Call(faccessat, Operand.CurrentDirectory, candidates[i], Operand.Named(X_OK, "X_OK")).When(0, found);
            if (i == candidates.Count - 1) look.OnErrorGo(missing);
            else look.IgnoreErrors();
        }

        writer.Mark(found);
        Tell(writer, LaunchStage.Ready);
        writer.For("wait for the word to start");
        writer.Call(read, inputs.Passed.Gate, Operand.AddressOf(new Slot("word", 8)), 1);
        writer.Mark(missing);
    }

    /// <summary>The same in two parts, with a filter between them that somebody else decides about: a program that is not there ends the launch before it.</summary>
    internal static void LookForProgram(PlanWriter writer, PlanInputs inputs)
    {
        if (!inputs.Spec.HasGate) return;
        Label found = new("the program is there");
        writer.For(ExecSteps.Purpose);
        IReadOnlyList<string> candidates = ExecSteps.Candidates(inputs.Spec);
        for (int i = 0; i < candidates.Count; i++)
        {
            LaunchStep look = writer.Call(faccessat, Operand.CurrentDirectory, candidates[i], Operand.Named(X_OK, "X_OK")).When(0, found);
            if (i < candidates.Count - 1) look.IgnoreErrors();
        }

        writer.Mark(found);
    }

    /// <summary>By calls that the filter knows (see <see cref="SeccompSteps.Unheard"/>).</summary>
    internal static void WaitUnheard(PlanWriter writer, PlanInputs inputs)
    {
        if (!inputs.Spec.HasGate) return;
        Tell(writer, LaunchStage.Ready, unheard: true);
        writer.For("wait for the word to start");
        writer.Call(read, inputs.Passed.Gate, Operand.AddressOf(new Slot("words", SeccompSteps.UnheardCount)), SeccompSteps.UnheardCount);
    }

    private static void Tell(PlanWriter writer, LaunchStage stage, bool unheard = false)
    {
        writer.For($"tell the host of the stage {stage}");
        Operand message = Operand.Bytes([(byte)stage, 0, 0, 0, 0, 0, 0, 0], $"stage {stage}");
        if (unheard) writer.Call(sendto, writer.Channel, message, StageSize, SeccompSteps.Unheard, Operand.Null, 0);
        else writer.Call(write, writer.Channel, message, StageSize);
    }
}
