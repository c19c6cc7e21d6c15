using Isolation.Linux;

namespace Isolation.Live.Tests;

/// <summary>How the program ended.</summary>
public sealed class EndTests
{
    [Fact]
    public async Task Every_exit_code_is_told()
    {
        using TestRoot root = new();
        int?[] codes = new int?[256];
        await Parallel.ForAsync(0, codes.Length, new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = Sandbox.Token }, async (code, cancel) =>
        {
            ContainerResult result = await root.Shell($"exit {code}").RunAsync(cancel);
            Assert.Null(result.Signal);
            codes[code] = result.ExitCode;
        });

        Assert.Equal(Enumerable.Range(0, 256).Select(code => (int?)code), codes);
    }

    [Theory]
    [InlineData("SEGV", 11)]
    [InlineData("KILL", 9)]
    [InlineData("TERM", 15)]
    [InlineData("ABRT", 6)]
    [InlineData("INT", 2)]
    [InlineData("PIPE", 13)]
    public async Task With_the_hosts_pid_namespace_a_signal_ends_it(string name, int number)
    {
        ContainerResult result = await Sandbox.HostShell($"kill -{name} $$").WithPidNs(NamespaceSource.Host).ResultAsync();

        Assert.Equal((null, number), (result.ExitCode, result.Signal));
        Assert.False(result.Succeeded);
    }

    [Fact]
    public async Task Process_1_is_not_ended_by_a_signal_of_its_own()
    {
        // pid_namespaces(7): the kernel spares it what it has no handler for, KILL included.
        Assert.Equal("alive", await Sandbox.HostShell("kill -TERM $$; kill -KILL $$; echo alive").OutputAsync());
    }

    [Fact]
    public async Task A_child_that_a_signal_ends_is_the_shells_to_tell() =>
        Assert.Equal(139, (await Sandbox.HostShell("sh -c 'kill -SEGV $$'; exit $?").ResultAsync()).ExitCode);

    [Fact]
    public async Task A_kill_from_outside_is_told_as_a_signal()
    {
        await using Container container = await Sandbox.SleeperAsync();

        using (PidDescriptor process = PidDescriptor.Open(container.ProcessId)) process.SendSignal(Abi.SIGKILL);

        Assert.Equal(Abi.SIGKILL, (await container.EndAsync()).Signal);
    }

    [Fact]
    public async Task Time_is_measured()
    {
        ContainerResult result = await Sandbox.HostShell("i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done").ResultAsync();

        Assert.InRange(result.ProcessorTime, TimeSpan.FromMilliseconds(1), result.Elapsed * 2);
    }
}
