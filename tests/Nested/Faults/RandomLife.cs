using System.Collections.Concurrent;
using System.Globalization;
using Isolation.Cgroups;
using Isolation.Linux;

namespace Isolation.Nested;

/// <summary>What a busy program does with containers, at random, from any number of workers at once.</summary>
/// <param name="host">Where the containers are recorded.</param>
/// <param name="scratch">A directory for what is copied.</param>
/// <param name="most">How many containers there are at once.</param>
/// <param name="seed">The same seed gives each worker the same operations in the same order.</param>
/// <param name="groups">Beneath which control group some of them are; null for who may make none.</param>
internal sealed class RandomLife(IsolationHost host, string scratch, int most, int seed, string? groups) : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);
    private readonly ConcurrentDictionary<int, Container> _containers = new();
    private int _last;

    /// <summary>How often each operation was done, and how it ended.</summary>
    internal ConcurrentDictionary<string, long> Counts { get; } = new();

    /// <summary>Works until it is told to stop, or one of the workers fails.</summary>
    /// <exception cref="TimeoutException">An operation did not end.</exception>
    /// <exception cref="InvalidOperationException">An operation failed otherwise than it may.</exception>
    internal async Task WorkAsync(int workers, CancellationToken stop)
    {
        using CancellationTokenSource failure = CancellationTokenSource.CreateLinkedTokenSource(stop);
        await Task.WhenAll(Enumerable.Range(0, workers).Select(worker => Task.Run(async () =>
        {
            try
            {
                await WorkAloneAsync(worker, failure.Token);
                await ResumeAllAsync();
            }
            catch
            {
                await failure.CancelAsync();
                throw;
            }
        }, CancellationToken.None)));
    }

    private async Task WorkAloneAsync(int worker, CancellationToken stop)
    {
        Random random = new(unchecked(seed * 397 + worker));
        while (!stop.IsCancellationRequested)
        {
            (string name, Func<Random, Task> operation) = Choose(random);
            string outcome = "done";
            try
            {
                await operation(random).WaitAsync(Patience, CancellationToken.None);
            }
            catch (TimeoutException)
            {
                throw new TimeoutException($"'{name}' did not end within {Patience}.");
            }
            catch (Exception exception) when (name is not ("start" or "run" or "time out" or "pipes" or "list")
                && exception is ContainerException or ContainerStateException or LinuxException or OperationCanceledException or ObjectDisposedException)
            {
                outcome = exception.GetType().Name; // another worker has ended what this one was at
            }
            catch (Exception exception)
            {
                throw new InvalidOperationException($"'{name}' failed otherwise than it may.", exception);
            }

            Counts.AddOrUpdate($"{name} {outcome}", 1, (_, count) => count + 1);
        }
    }

    /// <summary>A program that another worker waits for may be in a container that was left paused, and nobody disposes of that any more.</summary>
    private async Task ResumeAllAsync()
    {
        foreach (Container container in _containers.Values)
        {
            try
            {
                await container.ResumeAsync().WaitAsync(Patience);
            }
            catch (Exception exception) when (exception is ContainerException or ContainerStateException or LinuxException or ObjectDisposedException)
            {
                // It ends, and so does what runs in it.
            }
        }
    }

    /// <summary>Ends what still runs.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (int key in _containers.Keys)
            if (_containers.TryRemove(key, out Container? container)) await container.DisposeAsync();
    }

    private (string Name, Func<Random, Task> Operation) Choose(Random random) => random.Next(26) switch
    {
        < 7 => ("start", StartAsync),
        < 9 => ("exec", ExecAsync),
        9 => ("exec and leave", ExecAndLeaveAsync),
        10 => ("signal", random => On(random, container => container.SignalAsync(random.Next(2) == 0 ? 10 : 18))),
        11 => ("pause", PauseAsync),
        12 => ("stop", random => On(random, container => container.StopAsync(TimeSpan.FromMilliseconds(random.Next(20))))),
        13 => ("time out", random => Builder("/bin/sleep", "1000000").WithTimeout(TimeSpan.FromMilliseconds(random.Next(1, 30))).RunAsync()),
        < 16 => ("cancel", CancelAsync),
        < 18 => ("files", FilesAsync),
        18 => ("kill", random => On(random, container => container.KillAsync())),
        < 22 => ("dispose", DisposeOneAsync),
        22 => ("fail", FailAsync),
        23 => ("run", _ => Builder("/bin/echo", "x").RunAsync()),
        24 => ("pipes", PipesAsync),
        _ => ("list", _ => host.ListAsync()),
    };

    private async Task StartAsync(Random random)
    {
        if (_containers.Count >= most) await DisposeOneAsync(random);
        ContainerBuilder builder = random.Next(9) switch
        {
            0 => Builder("/bin/cat").WithInput(InputSource.Pipe).WithOutput(OutputTarget.Pipe),
            1 => Builder("/bin/sh", "-c", "echo out; echo err >&2; exec sleep 1000000"),
            2 => Builder("/bin/sh", "-c", "sleep 1000000 & sleep 0.01; exit 3").WithInit(),
            3 => Builder("/bin/sh", "-c", "tty; exec sleep 1000000").WithTerminal(),
            4 => Builder("/bin/cat").WithInput(InputSource.FromText("text")).WithOutput(OutputTarget.ToLines(_ => { })),
            5 => Builder("/bin/cat", "/etc/hosts").WithOutput(OutputTarget.ToStream(new MemoryStream())).WithError(OutputTarget.SameAsOutput),
            6 => Builder("/bin/echo", "x").WithOutput(OutputTarget.ToFile(Path.Join(scratch, "output"))).WithError(OutputTarget.Discard),
            7 => Builder("/bin/sleep", "1000000").WithTmpfs("/data").WithReadOnlyBind("/etc", "/tmp/etc"),
            _ => Builder("/bin/sleep", "1000000"),
        };
        _containers[Interlocked.Increment(ref _last)] = await (groups is null ? builder : random.Next(6) switch
        {
            0 => builder.WithCgroupParent(groups).WithPidsLimit(50).WithMemoryLimit(64 << 20),
            1 => builder.WithCgroupParent(groups).WithCgroupControllers(CgroupController.Pids, CgroupController.Freezer),
            _ => builder,
        }).StartAsync();
    }

    private Task ExecAsync(Random random) => On(random, container => container.ExecAsync("/bin/echo", "x"));

    private Task ExecAndLeaveAsync(Random random) => On(random, async container =>
    {
        await using ContainerProcess process = await container.NewProcess().WithCommand("/bin/cat").WithInput(InputSource.Pipe).WithOutput(OutputTarget.Pipe).StartAsync();
        await process.StandardInput.WriteAsync("x"u8.ToArray());
        _ = await process.StandardOutput.ReadAsync(new byte[1]); // the end, where another worker ends the container meanwhile
    });

    private Task PauseAsync(Random random) => On(random, async container =>
    {
        await container.PauseAsync();
        await Task.Delay(random.Next(5));
        if (random.Next(8) != 0) await container.ResumeAsync(); // else it is disposed paused
    });

    private async Task CancelAsync(Random random)
    {
        using CancellationTokenSource source = new(TimeSpan.FromMilliseconds(random.Next(15)));
        await Builder("/bin/sleep", "1000000").RunAsync(source.Token);
    }

    private Task FilesAsync(Random random) => On(random, async container =>
    {
        string name = random.Next().ToString(CultureInfo.InvariantCulture), copy = Path.Join(scratch, name);
        try
        {
            await container.Files.CopyToAsync("/etc/hostname", "/tmp/" + name);
            await container.Files.CopyFromAsync("/tmp/" + name, copy);
            await using Stream file = container.Files.OpenRead("/tmp/" + name);
            await file.ReadExactlyAsync(new byte[1]);
        }
        finally
        {
            File.Delete(copy);
        }
    });

    private async Task DisposeOneAsync(Random random)
    {
        if (Any(random) is { } key && _containers.TryRemove(key, out Container? container)) await container.DisposeAsync();
    }

    private Task<ContainerResult> FailAsync(Random random) => random.Next(3) switch
    {
        0 => Builder("/no/such/program").RunAsync(),
        1 => Builder("/bin/true").WithWorkingDirectory("/no/such/directory").RunAsync(),
        _ => Builder("/bin/true").WithUtsNs(NamespaceSource.FromPath("/dev/null")).RunAsync(),
    };

    private async Task PipesAsync(Random random)
    {
        await using Container first = await Builder("/bin/echo", "x").WithOutput(OutputTarget.Pipe).StartAsync();
        await using Container second = await Builder("/bin/cat").WithInput(InputSource.OutputOf(first)).WithOutput(OutputTarget.Pipe).StartAsync();
        if (random.Next(4) == 0) return;
        await foreach (OutputLine _ in second.ReadLinesAsync()) continue;
    }

    private Task On(Random random, Func<Container, Task> operation) =>
        Any(random) is { } key && _containers.TryGetValue(key, out Container? container) ? operation(container) : Task.CompletedTask;

    private int? Any(Random random)
    {
        int[] keys = [.. _containers.Keys];
        return keys.Length == 0 ? null : keys[random.Next(keys.Length)];
    }

    private ContainerBuilder Builder(params string[] command) => new ContainerBuilder().FromHost().WithHost(host).WithCommand(command);
}
