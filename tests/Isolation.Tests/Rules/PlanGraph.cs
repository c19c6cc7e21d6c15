using Isolation.Launch;
using Isolation.Linux;

namespace Isolation.Tests;

/// <summary>One way on from a step: where to, and whether the call had succeeded.</summary>
internal readonly record struct PlanEdge(int From, int To, bool Succeeded);

/// <summary>A plan as a graph: every way that a run of it can take.</summary>
internal sealed class PlanGraph
{
    private readonly List<PlanEdge>[] _edges;

    internal PlanGraph(LaunchPlan plan, int channel = 3)
    {
        (Plan, Channel) = (plan, channel);
        _edges = [.. Enumerable.Range(0, plan.Steps.Count).Select(EdgesOf)];
    }

    internal LaunchPlan Plan { get; }

    /// <summary>The descriptor of the channel to the host.</summary>
    internal int Channel { get; }

    internal IReadOnlyList<PlanEdge> From(int step) => _edges[step];

    /// <summary>Whether the plan may stop at a step: the program starts, or the process ends.</summary>
    internal static bool IsEnd(LaunchStep step) => step.Call is SystemCall.execve or SystemCall.exit_group;

    private List<PlanEdge> EdgesOf(int index)
    {
        LaunchStep step = Plan.Steps[index];
        List<PlanEdge> edges = [];
        if (step.Call == SystemCall.exit_group) return edges;
        int next = index + 1;
        edges.Add(new(index, step.IgnoresErrors ? next : step.OnError?.Index ?? Plan.FailureIndex, Succeeded: false));
        int? expected = step.Expected is null ? null : step.OnExpected?.Index ?? next;
        if (step.Expected < 0) edges.Add(new(index, expected!.Value, Succeeded: false));
        if (step.Call == SystemCall.execve) return edges; // with success there is no next step
        if (step.ExpectedSlot is not null) edges.Add(new(index, step.OnExpected?.Index ?? next, Succeeded: true));
        if (step.Expected >= 0) edges.Add(new(index, expected!.Value, Succeeded: true));
        if (step.Expected is null or < 0 || !IsTheOnlySuccess(step)) edges.Add(new(index, next, Succeeded: true));
        return edges;
    }

    /// <summary>
    /// Whether the expected result is the only one that is no error. A write to the channel, a socket that keeps
    /// messages whole, is never short; the other calls here return 0 or an error.
    /// </summary>
    private bool IsTheOnlySuccess(LaunchStep step) => step.Call switch
    {
        SystemCall.write => IsChannel(step.Operands[0]) && step.Operands[2].Kind == OperandKind.Value && step.Operands[2].Number == step.Expected,
        SystemCall.move_mount or SystemCall.mount_setattr or SystemCall.mount or SystemCall.faccessat or SystemCall.landlock_add_rule => step.Expected == 0,
        _ => false,
    };

    private bool IsChannel(Operand operand) => operand.Kind == OperandKind.Value && operand.Number == Channel;
}
