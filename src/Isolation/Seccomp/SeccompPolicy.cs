using System.Collections.Immutable;
using Isolation.Linux;

namespace Isolation;

/// <summary>
/// Which system calls a program may make (seccomp(2)). Its rules are tried in their order: the first that names a call, and whose conditions hold,
/// decides about it. Immutable.
/// </summary>
public sealed partial record SeccompPolicy
{
    /// <summary>What becomes of calls that no rule decides about.</summary>
    public required SeccompAction DefaultAction { get; init; }

    /// <summary>In the order in which they are tried.</summary>
    public required ImmutableArray<SeccompRule> Rules { get; init; }

    /// <summary>Whose programs may run; the calls of others are <see cref="ForeignAction"/>. Where it is empty, this machine's, and on x86-64 those of i386 and x32.</summary>
    public ImmutableArray<SeccompArchitecture> Architectures { get; init; } = [];

    /// <summary>What becomes of the calls of other programs than those of <see cref="Architectures"/>.</summary>
    public SeccompAction ForeignAction { get; init; } = SeccompAction.KillProcess;

    /// <summary>
    /// What becomes of calls that are newer than this library. Where <see cref="DefaultAction"/> is an error it is ENOSYS, by which programs
    /// know that they must do without; else it is <see cref="DefaultAction"/>.
    /// </summary>
    public SeccompAction NewerAction => DefaultAction.IsFailure ? SeccompAction.Fail(Errno.ENOSYS) : DefaultAction;

    /// <summary>A policy that allows all.</summary>
    internal static SeccompPolicy Everything { get; } = new() { DefaultAction = SeccompAction.Allow, Rules = [] };

    /// <summary>The same with rules that come before its own.</summary>
    internal SeccompPolicy With(params ReadOnlySpan<SeccompRule> rules) => this with { Rules = [.. rules, .. Rules] };

    /// <summary>Whether it leaves some calls to a handler.</summary>
    internal bool Notifies => DefaultAction == SeccompAction.Notify || ForeignAction == SeccompAction.Notify || Rules.Any(rule => rule.Action == SeccompAction.Notify);

    /// <summary>What is wrong with it; null where nothing is.</summary>
    internal string? Problem()
    {
        foreach (SeccompRule rule in Rules)
        {
            if (rule.SystemCalls.IsDefaultOrEmpty) return "a rule names no system call";
            foreach (string name in rule.SystemCalls)
                if (!SystemCallTable.IsKnown(name)) return $"'{name}' is no system call that is known here: names are those of asm/unistd.h";
            foreach (SeccompCondition condition in rule.Conditions)
            {
                if (condition.Argument is < 0 or > 5) return $"a condition of '{rule.SystemCalls[0]}' is about argument {condition.Argument}, and there are those from 0 to 5";
                if (condition.Comparison == SeccompComparison.MaskedEqual && (condition.Value & ~condition.Mask) != 0) return $"a condition of '{rule.SystemCalls[0]}' never holds: 0x{condition.Value:x} has bits that its mask 0x{condition.Mask:x} takes away";
            }
        }

        return null;
    }

    /// <summary>What becomes of a call.</summary>
    internal SeccompAction Decide(string systemCall, ReadOnlySpan<ulong> arguments, CapabilitySet capabilities)
    {
        foreach (SeccompRule rule in Rules)
        {
            if (!Applies(rule, capabilities) || !rule.SystemCalls.Contains(systemCall)) continue;
            bool holds = true;
            foreach (SeccompCondition condition in rule.Conditions) holds &= condition.Holds(arguments);
            if (holds) return rule.Action;
        }

        return DefaultAction;
    }

    internal static bool Applies(SeccompRule rule, CapabilitySet capabilities) =>
        rule.WithCapabilities.All(capability => capabilities.Has((int)capability)) && !rule.WithoutCapabilities.Any(capability => capabilities.Has((int)capability));
}
