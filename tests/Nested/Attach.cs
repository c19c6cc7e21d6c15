namespace Isolation.Nested;

/// <summary>Joins its own terminal to a container's, and ends in one way or another.</summary>
internal static class Attach
{
    internal static async Task<int> RunAsync(string end)
    {
        await using Container container = await new ContainerBuilder().FromHost().WithTerminal()
            .WithCommand("sh", "-c", "trap 'stty size' WINCH; stty size; while :; do read line || continue; test \"$line\" = end && exit 7; echo got $line; done").StartAsync();
        using CancellationTokenSource cancelled = new();
        Task attached = container.Terminal.AttachConsoleAsync(cancelled.Token);
        Console.WriteLine("attached\r");
        switch (end)
        {
            case "exit":
                await attached;
                return (await container.WaitAsync()).ExitCode ?? 1;
            case "cancel":
                await Task.Delay(200);
                await cancelled.CancelAsync();
                try
                {
                    await attached;
                    return 1;
                }
                catch (OperationCanceledException)
                {
                    return 8;
                }

            case "crash":
                new Thread(() => throw new InvalidOperationException("on purpose")).Start();
                await attached;
                return 1;
            default:
                await attached; // until a signal comes
                return 1;
        }
    }
}
