using System.Globalization;

namespace Isolation.Live.Tests;

/// <summary>A tree that forks all the time ends with its container.</summary>
public sealed class ForkBombTests
{
    // Sixty-three shells at most, each of which makes one short-lived child after the other.
    private const string Bomb = "f() { if [ $1 -gt 0 ]; then f $(($1-1)) & f $(($1-1)) & fi; while :; do (:); done; }; echo ready; f 5";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_kill_leaves_none(bool init)
    {
        ContainerBuilder builder = Sandbox.HostShell(Bomb).WithOutput(OutputTarget.Pipe);
        if (init) builder.WithInit();
        await using Container container = await builder.BeginAsync();
        await container.StandardOutput.ReadUntilAsync("ready");
        string space = Processes.Namespace(container.ProcessId, "pid");
        while (Inside(space) < 40) await Task.Delay(1, Sandbox.Token);

        await container.KillAsync(Sandbox.Token);

        Assert.Equal(ContainerOutcome.Killed, (await container.EndAsync()).Outcome);
        Assert.Equal(0, Inside(space)); // the kernel ends the first process when all others are gone
    }

    [Fact]
    public async Task A_timeout_leaves_none()
    {
        await using Container container = await Sandbox.HostShell(Bomb).WithTimeout(TimeSpan.FromMilliseconds(300)).BeginAsync();
        string space = Processes.Namespace(container.ProcessId, "pid");

        Assert.Equal(ContainerOutcome.TimedOut, (await container.EndAsync()).Outcome);

        Assert.Equal(0, Inside(space));
    }

    private static int Inside(string space) => Directory.GetDirectories("/proc").Count(directory =>
        int.TryParse(Path.GetFileName(directory), CultureInfo.InvariantCulture, out _) && NamespaceOf(directory) == space);

    private static string? NamespaceOf(string directory)
    {
        try
        {
            return new FileInfo(directory + "/ns/pid").LinkTarget;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null; // ended since it was listed, or somebody else's
        }
    }
}
