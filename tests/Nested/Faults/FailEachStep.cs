using System.Globalization;
using Isolation.Launch;
using Isolation.Linux;

namespace Isolation.Nested;

/// <summary>
/// Makes each step of a plan fail in turn, in the child, and says a line for each: its number, the step, the errno, what
/// came of it, and what was left behind by it and those beside it.
/// </summary>
internal static class FailEachStep
{
    private const int AtOnce = 8;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    // No kernel answers these otherwise.
    private static readonly (Errno Errno, Func<LaunchStep, LaunchStep> Change)[] Failures =
    [
        (Errno.EBADF, step => step.Instead(SystemCall.close, -1)),
        (Errno.EINVAL, step => step.Instead(SystemCall.dup3, 0, 0, 0)),
        (Errno.ENOENT, step => step.Instead(SystemCall.openat, Operand.CurrentDirectory, "", 0)),
    ];

    internal static async Task<int> RunAsync(string state, string kind)
    {
        await using PlanKinds kinds = await PlanKinds.PrepareAsync(state);
        LaunchPlan plan = kinds.Spec(kind).Compile().Plan;
        ContainerResult whole = await ContainerLaunch.BeginUnattended(kinds.Spec(kind), CancellationToken.None).Ended;
        if (!whole.Succeeded) throw new InvalidOperationException($"'{kind}' does not run as it is: {whole} {whole.StandardError}");
        await OutcomeAsync(kinds, kind, 0, Failures[0].Change);
        Console.WriteLine("number\tstep\terrno\toutcome\tleft behind");
        Leftovers before = Leftovers.Read(state);
        (int Index, int Failure)[] turns = [.. Enumerable.Range(0, plan.FailureIndex).SelectMany(index => Enumerable.Range(0, Failures.Length).Where(failure => IsAnother(plan.Steps[index], failure)).Select(failure => (index, failure)))];
        foreach ((int Index, int Failure)[] chunk in turns.Chunk(AtOnce))
        {
            string[] outcomes = await Task.WhenAll(chunk.Select(turn => OutcomeAsync(kinds, kind, turn.Index, Failures[turn.Failure].Change)));
            string left = await before.SettleAsync();
            foreach (((int index, int failure), string outcome) in chunk.Zip(outcomes))
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{index}\t{plan.Steps[index].ToString().ReplaceLineEndings(" ").Replace('\t', ' ')}\t{Failures[failure].Errno}\t{outcome}\t{left}"));
            if (left != "nothing") before = Leftovers.Read(state);
        }

        return 0;
    }

    /// <summary>A step that jumps is such a call itself.</summary>
    private static bool IsAnother(LaunchStep step, int failure) => Failures[failure].Change(step).ToString() != step.ToString();

    private static async Task<string> OutcomeAsync(PlanKinds kinds, string kind, int index, Func<LaunchStep, LaunchStep> change)
    {
        try
        {
            await kinds.Begin(kind, index, change).Ended.WaitAsync(Patience);
            return "done";
        }
        catch (Exception exception)
        {
            return $"{exception.GetType().Name}: {exception.Message.ReplaceLineEndings(" ")}";
        }
    }
}
