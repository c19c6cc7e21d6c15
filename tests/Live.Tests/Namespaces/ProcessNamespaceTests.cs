namespace Isolation.Live.Tests;

public sealed class ProcessNamespaceTests
{
    [Fact]
    public async Task The_program_is_process_1_and_sees_no_other() =>
        Assert.Equal(["1", "1"], await Sandbox.HostShell("echo $$; cd /proc; echo [0-9]*").LinesAsync());

    [Fact]
    public async Task With_the_hosts_the_program_has_the_hosts_number()
    {
        await using Container container = await Sandbox.HostShell("echo $$; ls -d /proc/" + Environment.ProcessId).WithPidNs(NamespaceSource.Host).BeginAsync();

        string[] lines = Sandbox.Output(await container.EndAsync()).Split('\n');

        Assert.Equal([$"{container.ProcessId}", $"/proc/{Environment.ProcessId}"], lines);
    }

    [Fact]
    public async Task What_the_first_process_leaves_running_ends_with_it()
    {
        await using Container container = await Sandbox.HostShell("sleep 1000 & sleep 1000 & wait").BeginAsync();
        int[] children = [];
        while (children.Length < 2) children = Children(container.ProcessId);

        await container.KillAsync(Sandbox.Token);

        foreach (int child in children) await Processes.EndsAsync(child);
    }

    [Fact]
    public async Task A_private_proc_needs_a_pid_namespace()
    {
        ContainerBuilder builder = Sandbox.Host("true").WithPidNs(NamespaceSource.Host).WithProc(ProcMount.Private);

        InvalidOperationException refusal = await Assert.ThrowsAsync<InvalidOperationException>(() => builder.RunAsync(Sandbox.Token));

        Assert.Contains("/proc", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_proc_leaves_what_the_root_has_there()
    {
        using TestRoot root = new();
        root.Write("proc/mine", "from the root");

        Assert.Equal("from the root", await root.Shell("cat /proc/mine").WithProc(ProcMount.None).OutputAsync());
    }

    private static int[] Children(int processId) =>
        [.. File.ReadAllText($"/proc/{processId}/task/{processId}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(text => int.Parse(text, System.Globalization.CultureInfo.InvariantCulture))];
}
