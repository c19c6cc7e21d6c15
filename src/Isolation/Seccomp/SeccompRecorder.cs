using System.Collections.Concurrent;
using System.Collections.Immutable;
using Isolation.Linux;

namespace Isolation;

/// <summary>Finds out which system calls a workload makes, and makes a policy of them.</summary>
public static class SeccompRecorder
{
    // Made by the launch and by the kernel's own ways back into a program, whether or not they were seen.
    private static readonly string[] Always = ["capset", "execve", "exit", "exit_group", "restart_syscall", "rt_sigreturn", "write"];

    /// <summary>
    /// Runs a workload to its end, and keeps which system calls it makes of those that its policy allows. Each call waits for the host, which takes some
    /// 20 microseconds. What another run does besides is not in the policy: record a run that does everything.
    /// </summary>
    /// <param name="builder">The workload. It is not changed. A handler of system calls that it has is replaced.</param>
    /// <param name="cancellationToken">Kills it.</param>
    /// <exception cref="InvalidOperationException">The workload cannot be; see <see cref="ContainerBuilder.Build"/>.</exception>
    /// <exception cref="ContainerException">It could not be started.</exception>
    public static async Task<SeccompRecording> RecordAsync(ContainerBuilder builder, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ContainerSpec spec = await builder.BuildAsync(cancellationToken).ConfigureAwait(false);
        ConcurrentDictionary<string, long> seen = new(StringComparer.Ordinal);
        SeccompPolicy allowed = spec.BaseFilter ?? SeccompPolicy.Everything;
        ContainerSpec recorded = spec with
        {
            Unfiltered = false,
            Seccomp = allowed with
            {
                DefaultAction = Heard(allowed.DefaultAction),
                Rules = [.. allowed.Rules.Select(rule => rule with { Action = Heard(rule.Action) })],
            },
            Interception = new([], Record, Timeout.InfiniteTimeSpan),
        };
        SpecValidation.Check(recorded);
        ContainerResult result = await recorded.RunAsync(cancellationToken).ConfigureAwait(false);
        return new(seen.ToImmutableSortedDictionary(StringComparer.Ordinal), [.. seen.Keys.Where(SystemCallTable.IsKnown).Union(Always).Order(StringComparer.Ordinal)], result);

        ValueTask<SystemCallAnswer> Record(SystemCallRequest call, CancellationToken ignored)
        {
            seen.AddOrUpdate(call.Name, 1, static (_, count) => count + 1);
            return ValueTask.FromResult(SystemCallAnswer.Continue);
        }
    }

    private static SeccompAction Heard(SeccompAction action) => action == SeccompAction.Allow || action == SeccompAction.Log ? SeccompAction.Notify : action;
}
