using System.Diagnostics;
using System.Globalization;
using Isolation.Launch;
using Isolation.Linux;

namespace Isolation.Nested;

/// <summary>Programs that are to be killed while they are busy with containers.</summary>
internal static class Victims
{
    internal static async Task<int> RunAsync(Queue<string> words)
    {
        EndWithInput();
        return words.Dequeue() switch
        {
            "churn" => await ChurnAsync(words.Dequeue(), int.Parse(words.Dequeue(), CultureInfo.InvariantCulture)),
            "stand" => await StandAsync(words.Dequeue(), words.Dequeue()),
            "die" => await DieAsync(words.Dequeue(), words.Dequeue(), int.Parse(words.Dequeue(), CultureInfo.InvariantCulture)),
            string other => throw new ArgumentException($"There is no victim '{other}'."),
        };
    }

    /// <summary>Random operations without end.</summary>
    private static async Task<int> ChurnAsync(string state, int seed)
    {
        IsolationHost host = await IsolationHost.OpenAsync(state);
        string scratch = Directory.CreateDirectory(Path.Join(state, "scratch")).FullName;
        RandomLife life = new(host, scratch, most: 24, seed, FaultGroups.For(state));
        Console.WriteLine("ready");
        await life.WorkAsync(workers: 8, CancellationToken.None);
        return 0;
    }

    /// <summary>Launches that each stand still at another step of the plan, all at once.</summary>
    private static async Task<int> StandAsync(string state, string kind)
    {
        PlanKinds kinds = await PlanKinds.PrepareAsync(state);
        byte[] limit = new byte[16];
        BitConverter.TryWriteBytes(limit, 15L); // struct timespec
        int steps = kinds.Spec(kind).Compile().Plan.FailureIndex;
        List<ContainerLaunch> launches = [];
        for (int i = 0; i < steps; i++)
            launches.Add(kinds.Begin(kind, i, step => step.Instead(SystemCall.ppoll, Operand.Null, 0, Operand.Bytes(limit, "{15 s}"), Operand.Null, 0)));
        while (launches.Any(launch => launch.ProcessId == 0 && !launch.Ended.IsCompleted)) await Task.Delay(1);
        await Task.Delay(300); // most of them have come to where they stand by then; where they have not, that is a step too
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"ready {launches.Count(launch => !launch.Ended.IsCompleted)} of {steps}"));
        await Task.Delay(Timeout.Infinite);
        return 0;
    }

    /// <summary>Dies before its n-th system call of a scenario; says how many there were where there were fewer.</summary>
    private static async Task<int> DieAsync(string state, string scenario, int number)
    {
        using Process self = Process.GetCurrentProcess();
        int made = 0;
        Func<SystemCall, nint> failpoint = call =>
        {
            if (call != SystemCall.epoll_pwait && Interlocked.Increment(ref made) == number) self.Kill();
            return 0;
        };
        if (scenario == "recover")
        {
            using Process first = Sleeper(), second = Sleeper();
            DeadOwner.Make(state, first.Id, second.Id);
            Syscall.Failpoint = failpoint;
            await using IsolationHost host = await IsolationHost.OpenAsync(state);
        }
        else
        {
            Scenarios scenarios = await Scenarios.PrepareAsync(state);
            Syscall.Failpoint = failpoint;
            await scenarios.RunAsync(scenario);
            await scenarios.DisposeAsync();
        }

        Syscall.Failpoint = null;
        Console.WriteLine(made);
        return 0;
    }

    // Not with this program's output, whose end tells the killer of its death.
    private static Process Sleeper() => Process.Start(new ProcessStartInfo("sleep", ["1000"]) { RedirectStandardOutput = true, RedirectStandardError = true })!;

    /// <summary>A victim does not outlive whoever was to kill it.</summary>
    private static void EndWithInput() => new Thread(() =>
    {
        while (Console.In.Read() >= 0) continue;
        Environment.Exit(1);
    }) { IsBackground = true }.Start();
}
