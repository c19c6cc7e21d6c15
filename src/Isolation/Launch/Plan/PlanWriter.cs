using Isolation.Linux;

namespace Isolation.Launch;

/// <summary>Writes the steps of a plan in order. Not thread-safe; a plan is written once.</summary>
internal sealed class PlanWriter(TargetAbi abi, int channel = 3)
{
    private readonly List<LaunchStep> _steps = [];
    private readonly List<Label> _labels = [];
    private readonly Queue<Action> _later = [];
    private string _purpose = "";

    internal TargetAbi Abi { get; } = abi;

    /// <summary>The descriptor of the channel to the host.</summary>
    internal int Channel { get; } = channel;

    /// <summary>States what the steps that follow are for.</summary>
    internal PlanWriter For(string purpose)
    {
        _purpose = purpose;
        return this;
    }

    internal LaunchStep Call(SystemCall call, params ReadOnlySpan<Operand> operands)
    {
        LaunchStep step = new(call, operands.ToArray(), _purpose);
        _steps.Add(step);
        return step;
    }

    /// <summary>Like <see cref="Call"/>, and keeps the result in a new slot of that name.</summary>
    internal Slot CallInto(string slotName, SystemCall call, params ReadOnlySpan<Operand> operands)
    {
        Slot slot = new(slotName);
        Call(call, operands).Into(slot);
        return slot;
    }

    /// <summary>Places a label before the next step.</summary>
    internal void Mark(Label label)
    {
        if (label.Index >= 0) throw new InvalidOperationException($"The label '{label}' stands twice.");
        label.Index = _steps.Count;
        _labels.Add(label);
    }

    /// <summary>
    /// Puts a branch that is rarely taken behind all else, so that the steps read in the order in which they run. What
    /// it writes must end by going to a label.
    /// </summary>
    internal void Later(Action branch) => _later.Enqueue(branch);

    /// <summary>Ends the plan: what is written from here on runs only after an error.</summary>
    internal LaunchPlan Finish(Action<PlanWriter> failure)
    {
        while (_later.TryDequeue(out Action? branch)) branch();
        int index = _steps.Count;
        failure(this);
        return new LaunchPlan(_steps, _labels, index);
    }
}
