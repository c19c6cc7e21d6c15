using System.Globalization;

namespace Isolation.Nested;

/// <summary>Starts containers, says their process ids in one line, and waits to be killed.</summary>
internal static class Hold
{
    internal static async Task<int> RunAsync(int count, string[] command)
    {
        List<string> processes = [];
        for (int i = 0; i < count; i++)
        {
            Container container = await new ContainerBuilder().FromHost().WithCommand(command).StartAsync();
            processes.Add(container.ProcessId.ToString(CultureInfo.InvariantCulture));
        }

        Console.WriteLine(string.Join(' ', processes));
        await Task.Delay(Timeout.Infinite);
        return 0;
    }
}
