using Isolation.Linux;

namespace Isolation.Live.Tests;

internal static class Processes
{
    /// <summary>Waits until a process, which need not be a child, is gone; fails if it never ends.</summary>
    internal static async Task EndsAsync(int processId)
    {
        PidDescriptor process;
        try
        {
            process = PidDescriptor.Open(processId);
        }
        catch (LinuxException exception) when (exception.Errno == Errno.ESRCH)
        {
            return;
        }

        using (process)
        {
            using Readiness end = new(DescriptorEvents.Shared, process, Abi.EPOLLIN);
            await end.Reading.WaitAsync(end.Reading.Edge, Sandbox.Token);
        }
    }

    internal static string Namespace(int processId, string file) => new FileInfo($"/proc/{processId}/ns/{file}").LinkTarget!;

    internal static Dictionary<string, string> Status(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries)
        .Select(line => line.Split(':', 2)).ToDictionary(pair => pair[0], pair => pair[1].Trim());
}
