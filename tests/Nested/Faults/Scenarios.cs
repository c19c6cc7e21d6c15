using System.Globalization;

namespace Isolation.Nested;

/// <summary>Short lives of containers, by name: what is made to fail, or to die, somewhere in the middle.</summary>
internal sealed class Scenarios : IAsyncDisposable
{
    private readonly string _scratch;
    private readonly ContainerSpec _sleeper;
    private Container _container = null!;

    private Scenarios(string state, IsolationHost host)
    {
        (Host, _scratch) = (host, Path.Join(state, "scratch"));
        Directory.CreateDirectory(_scratch);
        File.WriteAllText(Path.Join(_scratch, "source"), "text\n");
        _sleeper = Builder("/bin/sleep", "1000000").Build();
    }

    /// <summary>Without limits for who may not make control groups.</summary>
    internal static string[] Names { get; } = ["run", "exec", "pipes", "stop", "init", "terminal", "files", "targets", "outlive", "host", "fail", .. Environment.IsPrivilegedProcess ? (string[])["limits"] : []];

    internal IsolationHost Host { get; }

    /// <summary>With one container that runs all the time, for what is done in it.</summary>
    internal static async Task<Scenarios> PrepareAsync(string state)
    {
        Scenarios scenarios = new(state, await IsolationHost.OpenAsync(state));
        scenarios._container = await scenarios._sleeper.StartAsync();
        return scenarios;
    }

    internal async Task RunAsync(string name)
    {
        switch (name)
        {
            case "run":
                await Builder("/bin/echo", "x").RunAsync();
                break;
            case "exec":
                await _container.ExecAsync("/bin/echo", "x");
                break;
            case "pipes":
            {
                await using Container container = await Builder("/bin/cat").WithInput(InputSource.Pipe).WithOutput(OutputTarget.Pipe).StartAsync();
                await container.StandardInput.WriteAsync("x"u8.ToArray());
                await container.StandardOutput.ReadExactlyAsync(new byte[1]);
                await container.StandardInput.DisposeAsync();
                await container.WaitAsync();
                break;
            }

            case "stop":
            {
                await using Container container = await _sleeper.StartAsync();
                await container.PauseAsync();
                await container.ResumeAsync();
                await container.SignalAsync(10);
                await container.StopAsync(TimeSpan.FromMilliseconds(1));
                break;
            }

            case "init":
                await Builder("/bin/true").WithInit().RunAsync();
                break;
            case "terminal":
            {
                await using Container container = await Builder("/bin/echo", "x").WithTerminal().StartAsync();
                await container.Terminal.Stream.ReadExactlyAsync(new byte[1]);
                await container.WaitAsync();
                break;
            }

            case "files":
                await FilesAsync();
                break;
            case "targets":
            {
                using MemoryStream output = new(), input = new("a\nb\n"u8.ToArray());
                int lines = 0;
                await Builder("/bin/sh", "-c", "cat; echo c >&2").WithInput(InputSource.FromStream(input)).WithOutput(OutputTarget.ToStream(output)).WithError(OutputTarget.ToLines(_ => lines++)).RunAsync();
                await Builder("/bin/cat").WithInput(InputSource.FromText("x")).WithOutput(OutputTarget.ToFile(Path.Join(_scratch, "output"))).RunAsync();
                await using Container container = await Builder("/bin/echo", "x").WithOutput(OutputTarget.Pipe).StartAsync();
                await foreach (OutputLine line in container.ReadLinesAsync()) lines += line.Text.Length;
                break;
            }

            case "outlive":
            {
                // It ends by itself: nobody is there to end it where its host dies.
                await using Container container = await Builder("/bin/sleep", "0.01").OutliveHost().WithPidNs(NamespaceSource.Host)
                    .WithOutput(OutputTarget.Discard).WithError(OutputTarget.Discard).StartAsync();
                await container.WaitAsync();
                break;
            }

            case "host":
            {
                await using IsolationHost host = await IsolationHost.OpenAsync(Host.StateDirectory);
                await using Container container = await Builder("/bin/sleep", "1000000").WithHost(host).StartAsync();
                await host.ListAsync();
                break;
            }

            case "limits":
                await Builder("/bin/true").WithPidsLimit(100).WithMemoryLimit(64 << 20).WithCpuLimit(1).WithCgroupControllers(Cgroups.CgroupController.Pressure).WithCgroupParent(FaultGroups.ParentOf(Host.StateDirectory)).RunAsync();
                break;
            case "fail":
                try
                {
                    await Builder("/no/such/program").RunAsync();
                }
                catch (ContainerException exception) when (exception.Reason == ContainerErrorReason.ProgramNotFound)
                {
                    // As it should.
                }

                break;
            default:
                throw new ArgumentException($"There is no scenario '{name}'.");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _container.DisposeAsync();
        await Host.DisposeAsync();
        FaultGroups.RemoveParents(Host.StateDirectory);
    }

    private async Task FilesAsync()
    {
        const string name = "text";
        await _container.Files.CopyToAsync(Path.Join(_scratch, "source"), "/tmp/" + name);
        await _container.Files.CopyFromAsync("/tmp/" + name, Path.Join(_scratch, "copy"));
        await using (Stream file = _container.Files.OpenRead("/tmp/" + name)) await file.ReadExactlyAsync(new byte[5]);
        await using (Stream file = _container.Files.OpenWrite("/tmp/" + name)) await file.WriteAsync("text\n"u8.ToArray());
        _ = _container.Files.Exists("/tmp/" + name);
        foreach (ContainerFileEntry _ in _container.Files.Enumerate("/tmp", recursive: true)) continue;
    }

    private ContainerBuilder Builder(params string[] command) => new ContainerBuilder().FromHost().WithHost(Host).WithCommand(command);
}
