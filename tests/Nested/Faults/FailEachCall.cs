using System.Globalization;
using Isolation.Linux;

namespace Isolation.Nested;

/// <summary>
/// Makes each system call that this process makes for a container fail in turn, once, and says a line for each: its number,
/// the call, what came of it, and what was left behind.
/// </summary>
internal static class FailEachCall
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    internal static async Task<int> RunAsync(string state, string scenario, Errno errno)
    {
        await using Scenarios scenarios = await Scenarios.PrepareAsync(state);
        foreach (string name in Scenarios.Names) await scenarios.RunAsync(name); // what a process makes once is made
        Console.WriteLine("number\tcall\toutcome\tleft behind"); // the console opens what it needs
        try
        {
            throw new LinuxException("warm", "", errno); // and so does the first exception
        }
        catch (LinuxException exception)
        {
            _ = exception.ToString();
        }

        await Task.Delay(100);
        Leftovers before = Leftovers.Read(state);
        for (int number = 1; ; number++)
        {
            int made = 0, turn = number;
            SystemCall failed = default;
            Syscall.Failpoint = call =>
            {
                // The events thread waits all the time, for everybody: a failure of that is another test's. And some never fail.
                if (call is SystemCall.epoll_pwait or SystemCall.geteuid or SystemCall.getegid || Interlocked.Increment(ref made) != turn) return 0;
                failed = call;
                return -(int)errno;
            };
            string outcome = await OutcomeAsync(scenarios, scenario);
            Syscall.Failpoint = null;
            if (made < number) return 0;
            // What the kernel refuses to remove is removed with the next, and a directory by whoever opens next.
            if (failed == SystemCall.unlinkat) await AfterwardsAsync(scenarios);
            string left = await before.SettleAsync();
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{number}\t{failed}\t{outcome}\t{left}"));
            if (left != "nothing") before = Leftovers.Read(state); // once is enough
        }
    }

    private static async Task AfterwardsAsync(Scenarios scenarios)
    {
        await scenarios.RunAsync("run");
        await (await IsolationHost.OpenAsync(scenarios.Host.StateDirectory)).DisposeAsync();
    }

    private static async Task<string> OutcomeAsync(Scenarios scenarios, string scenario)
    {
        try
        {
            await scenarios.RunAsync(scenario).WaitAsync(Patience);
            return "done";
        }
        catch (Exception exception)
        {
            return $"{exception.GetType().Name}: {exception.Message.ReplaceLineEndings(" ")}";
        }
    }
}
