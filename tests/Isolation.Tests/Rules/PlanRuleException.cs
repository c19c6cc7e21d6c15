using Isolation.Launch;

namespace Isolation.Tests;

/// <summary>A plan breaks a rule at a step.</summary>
internal sealed class PlanRuleException(LaunchPlan plan, int step, string rule)
    : Exception($"Step {step}, {plan.Steps[step]} ('{plan.Steps[step].Purpose}'), breaks the rule: {rule}\n\n{plan}")
{
    internal string Rule { get; } = rule;
}
