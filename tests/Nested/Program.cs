using System.Globalization;
using Isolation;
using Isolation.Nested;

// A program that uses the library, for the live tests to run where they cannot be themselves: inside a container,
// under a tracer, without some system calls, or to be killed.
Queue<string> words = new(args);
if (words.TryPeek(out string? first) && first == "--deny")
{
    words.Dequeue();
    SystemCallFilter.Deny(words.Dequeue().Split(','));
}

try
{
    return words.Dequeue() switch
    {
        "depth" => await Depth.RunAsync(int.Parse(words.Dequeue(), CultureInfo.InvariantCulture)),
        "run" => await Run.RunAsync(words),
        "hold" => await Hold.RunAsync(int.Parse(words.Dequeue(), CultureInfo.InvariantCulture), [.. words]),
        "fail-each-call" => await FailEachCall.RunAsync(words.Dequeue(), words.Dequeue(), Enum.Parse<Isolation.Linux.Errno>(words.Dequeue())),
        "fail-each-step" => await FailEachStep.RunAsync(words.Dequeue(), words.Dequeue()),
        "limit" => await LimitModes.RunAsync(words.Dequeue(), words.Dequeue(), words.Dequeue()),
        "kill" => await Killer.RunAsync(words),
        "victim" => await Victims.RunAsync(words),
        "state" => await StateModes.RunAsync(words),
        "store" => await StoreModes.RunAsync(words),
        "attach" => await Attach.RunAsync(words.Dequeue()),
        "probe" => Probe(),
        "watch" => Watch.Run(words.Dequeue()),
        string other => throw new ArgumentException($"There is no mode '{other}'."),
    };
}
catch (ContainerException exception)
{
    await Console.Error.WriteLineAsync($"{exception.Reason}: {exception.Message}");
    return NestedProgram.Refused;
}

static int Probe()
{
    foreach (SupportEntry entry in IsolationSupport.Probe().Entries) Console.WriteLine($"{entry.Feature}\t{entry.IsAvailable}\t{entry.Reason}\t{entry.Remedy}");
    return 0;
}
