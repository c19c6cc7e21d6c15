using Isolation.Launch;
using Isolation.Linux;

namespace Isolation.Benchmarks;

/// <summary>
/// A plan with the clock read before each step up to the execution of the program, and the readings written to standard
/// output before that.
/// </summary>
internal static class ClockedPlan
{
    private const int Monotonic = 1; // CLOCK_MONOTONIC, which is Stopwatch's
    internal const int ClockSize = 16; // struct timespec

    /// <summary>How many of the plan's steps have a clock: all before and including the first that executes the program.</summary>
    internal static int Clocked(LaunchPlan plan) => IndexOfExecution(plan) + 1;

    /// <param name="plan">Its labels are moved: it is of no use afterwards.</param>
    internal static LaunchPlan Of(LaunchPlan plan)
    {
        int clocked = Clocked(plan);
        Slot clocks = new("clocks", clocked * ClockSize);
        List<LaunchStep> steps = [];
        int[] places = new int[plan.Steps.Count + 1];
        for (int i = 0; i < plan.Steps.Count; i++)
        {
            places[i] = steps.Count;
            if (i < clocked) steps.Add(new(SystemCall.clock_gettime, [Monotonic, Operand.AddressOf(clocks, i * ClockSize)], "read the clock"));
            if (i == clocked - 1) steps.Add(new(SystemCall.write, [1, Operand.AddressOf(clocks), clocked * ClockSize], "write the clocks"));
            steps.Add(plan.Steps[i]);
        }

        places[^1] = steps.Count;
        foreach (Label label in plan.Labels) label.Index = places[label.Index];
        return new LaunchPlan(steps, plan.Labels, places[plan.FailureIndex]);
    }

    private static int IndexOfExecution(LaunchPlan plan)
    {
        for (int i = 0; i < plan.Steps.Count; i++)
            if (plan.Steps[i].Call == SystemCall.execve) return i;
        throw new InvalidOperationException("The plan executes nothing.");
    }
}
