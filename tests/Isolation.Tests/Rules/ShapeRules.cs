using System.Numerics;
using Isolation.Launch;
using Isolation.Linux;

namespace Isolation.Tests;

/// <summary>Rules of the graph itself: nothing is dead, nothing runs in circles, nothing is read before it was written.</summary>
internal sealed class ShapeRules(PlanGraph graph)
{
    private LaunchPlan Plan => graph.Plan;

    internal void Check()
    {
        EdgesStayInside();
        EverythingIsReachableAndNothingRunsInCircles();
        SlotsAreWrittenBeforeTheyAreRead();
    }

    private void EdgesStayInside()
    {
        for (int i = 0; i < Plan.Steps.Count; i++)
            foreach (PlanEdge edge in graph.From(i))
                if (edge.To >= Plan.Steps.Count) throw new PlanRuleException(Plan, i, "no way leads behind the last step");
    }

    private void EverythingIsReachableAndNothingRunsInCircles()
    {
        // Colours of a depth-first search: 0 not seen, 1 on the way, 2 done. A branch met while it is on the way is a circle,
        // and circles are allowed only where the kernel makes the process wait.
        byte[] colours = new byte[Plan.Steps.Count];
        Visit(0);
        for (int i = 0; i < colours.Length; i++)
            if (colours[i] == 0) throw new PlanRuleException(Plan, i, "every step can be reached");
        foreach (Label label in Plan.Labels)
            if (!IsTarget(label)) throw new PlanRuleException(Plan, label.Index, $"some step goes to the label '{label}'");

        void Visit(int step)
        {
            colours[step] = 1;
            foreach (PlanEdge edge in graph.From(step))
            {
                if (colours[edge.To] == 1 && !Blocks(edge)) throw new PlanRuleException(Plan, step, "nothing runs in circles without waiting");
                if (colours[edge.To] == 0) Visit(edge.To);
            }

            colours[step] = 2;
        }
    }

    private bool Blocks(PlanEdge edge) => Plan.Steps[edge.To].Call is SystemCall.waitid or SystemCall.wait4 or SystemCall.read or SystemCall.ppoll;

    private bool IsTarget(Label label) => Plan.Steps.Any(step => step.OnError == label || step.OnExpected == label);

    // The must-written sets: a slot counts at a step if it was written on every way there. A call that fails writes -errno
    // into its slot, which is no descriptor and no length, so a failed call takes its slot out of the set.
    private void SlotsAreWrittenBeforeTheyAreRead()
    {
        Dictionary<Slot, int> numbers = [];
        BigInteger?[] written = new BigInteger?[Plan.Steps.Count];
        written[0] = BigInteger.Zero;
        Queue<int> work = new([0]);
        while (work.TryDequeue(out int index))
        {
            foreach (PlanEdge edge in graph.From(index))
            {
                BigInteger after = After(Plan.Steps[index], edge, written[index]!.Value);
                BigInteger merged = written[edge.To] is { } before ? before & after : after;
                if (written[edge.To] == merged) continue;
                written[edge.To] = merged;
                work.Enqueue(edge.To);
            }
        }

        for (int i = 0; i < Plan.Steps.Count; i++)
        {
            foreach (Slot slot in Plan.Steps[i].Used())
                if (!IsMeantToBeZero(slot) && (written[i]!.Value & Bit(slot)) == 0)
                    throw new PlanRuleException(Plan, i, $"the slot {slot} was written on every way here");
        }

        BigInteger Bit(Slot slot)
        {
            if (!numbers.TryGetValue(slot, out int number)) numbers.Add(slot, number = numbers.Count);
            return BigInteger.One << number;
        }

        BigInteger After(LaunchStep step, PlanEdge edge, BigInteger before)
        {
            foreach (Slot slot in new[] { step.Result, step.Filled() }.OfType<Slot>())
                before = edge.Succeeded ? before | Bit(slot) : (before | Bit(slot)) ^ Bit(slot);
            return before;
        }
    }

    // The interpreter writes the one; the other says by being zero that no candidate was denied.
    private static bool IsMeantToBeZero(Slot slot) => slot == FailureSteps.FaultRecord || slot.Name == "denied" || slot.Initial.Length > 0;
}
