using System.Globalization;

namespace Isolation.Nested;

/// <summary>Says where it is, then does the same in a container of its own, as many times as it is told.</summary>
internal static class Depth
{
    internal static async Task<int> RunAsync(int more)
    {
        string user = File.ResolveLinkTarget("/proc/self/ns/user", returnFinalTarget: false)!.Name;
        Console.WriteLine($"{more} {Environment.ProcessId} {user} {Environment.MachineName}");
        if (more == 0) return 0;
        string less = (more - 1).ToString(CultureInfo.InvariantCulture);
        ContainerResult result = await NestedProgram.Container("depth", less).WithHostName("deep" + less).RunAsync();
        Console.Write(result.StandardOutput);
        await Console.Error.WriteAsync(result.StandardError);
        return result.ExitCode ?? 255;
    }
}
