using System.Text;

namespace Isolation.Launch;

/// <summary>
/// How a container is born, as data: system calls in order, what each is for, and where each goes from there.
/// Made by a pure function, so that it can be printed, compared and checked without root.
/// </summary>
internal sealed class LaunchPlan(IReadOnlyList<LaunchStep> steps, IReadOnlyList<Label> labels, int failureIndex)
{
    internal IReadOnlyList<LaunchStep> Steps { get; } = steps;

    internal IReadOnlyList<Label> Labels { get; } = labels;

    /// <summary>The index of the first step of the report of failure, where every error goes that goes nowhere else.</summary>
    internal int FailureIndex { get; } = failureIndex;

    /// <summary>For tests: the same plan with another step in the place of one.</summary>
    internal LaunchPlan With(int index, Func<LaunchStep, LaunchStep> change) =>
        new([.. Steps.Select((step, i) => i == index ? change(step) : step)], Labels, FailureIndex);

    public override string ToString()
    {
        StringBuilder text = new();
        string? purpose = null;
        for (int i = 0; i < Steps.Count; i++)
        {
            foreach (Label label in Labels)
                if (label.Index == i) text.Append('\'').Append(label.Name).AppendLine("':");
            LaunchStep step = Steps[i];
            if (step.Purpose != purpose)
            {
                purpose = step.Purpose;
                text.Append("  # ").AppendLine(purpose);
            }

            text.Append($"  {i,3}  ").Append(step);
            string branches = step.Branches();
            if (branches.Length > 0) text.Append("   -- ").Append(branches);
            text.AppendLine();
        }

        return text.ToString();
    }
}
