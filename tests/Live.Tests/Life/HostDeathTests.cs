using System.Diagnostics;
using System.Globalization;
using Isolation.Nested;

namespace Isolation.Live.Tests;

/// <summary>A program that dies without a word takes its containers with it.</summary>
public sealed class HostDeathTests
{
    [Theory]
    [InlineData("sleep 1000")]
    [InlineData("trap '' TERM HUP INT; sleep 1000 & sleep 1000 & wait; sleep 1000")]
    public async Task Killed(string script)
    {
        using Process host = Sandbox.StartOnHost(NestedProgram.Path, "hold", "3", "sh", "-c", script);
        string? line = await host.StandardOutput.ReadLineAsync(Sandbox.Token);
        int[] processes = [.. line!.Split(' ').Select(word => int.Parse(word, CultureInfo.InvariantCulture))];
        Assert.Equal(3, processes.Length);
        Assert.All(processes, process => Assert.True(Directory.Exists($"/proc/{process}")));

        host.Kill();

        foreach (int process in processes) await Processes.EndsAsync(process);
        await host.WaitForExitAsync(Sandbox.Token);
    }

    [Fact]
    public async Task Terminated()
    {
        using Process host = Sandbox.StartOnHost(NestedProgram.Path, "hold", "1", "sleep", "1000");
        int process = int.Parse((await host.StandardOutput.ReadLineAsync(Sandbox.Token))!, CultureInfo.InvariantCulture);

        using (Isolation.Linux.PidDescriptor descriptor = Isolation.Linux.PidDescriptor.Open(host.Id)) descriptor.SendSignal(15);

        await Processes.EndsAsync(process);
        await host.WaitForExitAsync(Sandbox.Token);
    }
}
