using System.Diagnostics.Metrics;

namespace Isolation.Live.Tests;

/// <summary>The instruments count the whole process: nothing else runs beside these.</summary>
[Collection(nameof(Alone))]
public sealed class MeterTests : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly Lock _gate = new();
    private readonly List<(string Instrument, double Value, Dictionary<string, object?> Tags)> _measured = [];

    public MeterTests()
    {
        _listener.InstrumentPublished = static (instrument, listener) =>
        {
            if (instrument.Meter.Name == IsolationTelemetry.MeterName) listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Measured(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Measured(instrument, value, tags));
        _listener.Start();
    }

    [Fact]
    public async Task Launches_side_by_side_add_up()
    {
        const int Count = 50;
        ContainerSpec good = Sandbox.Host("true").Build(), bad = Sandbox.Host("/no/such/program").Build();

        Task<ContainerResult>[] runs = [.. Enumerable.Range(0, Count).Select(_ => good.RunAsync(Sandbox.Token))];
        Task[] refusals = [.. Enumerable.Range(0, 10).Select(_ => Assert.ThrowsAsync<ContainerException>(() => bad.RunAsync(Sandbox.Token)))];
        await Task.WhenAll(runs);
        await Task.WhenAll(refusals);

        Assert.Equal(Count, Sum("isolation.container.starts", "container"));
        Assert.Equal(10, Sum("isolation.container.failures", "container"));
        Assert.All(Of("isolation.container.failures"), failure => Assert.Equal("ProgramNotFound", failure.Tags["reason"]));
        Assert.Equal(Count, Of("isolation.container.launch.duration").Length);
        Assert.All(Of("isolation.container.launch.duration"), launch => Assert.True(launch.Value > 0));
        Assert.Equal(Count, Of("isolation.container.duration").Length);
        Assert.All(Of("isolation.container.duration"), run => Assert.Equal("Exited", run.Tags["outcome"]));
        Assert.Equal((0, 0), Running());
    }

    [Fact]
    public async Task What_runs_is_counted_as_long_as_it_runs()
    {
        await using Container container = await Sandbox.SleeperAsync();
        await using ContainerProcess first = await container.NewProcess().WithCommand("sleep", "1000").BeginAsync();
        await using ContainerProcess second = await container.NewProcess().WithCommand("sleep", "1000").BeginAsync();
        Assert.Equal((1, 2), Running());

        await second.KillAsync(Sandbox.Token);
        Assert.Equal((1, 1), Running());

        await container.PauseAsync(Sandbox.Token); // started for that, and not counted
        await container.ResumeAsync(Sandbox.Token);
        await container.KillAsync(Sandbox.Token);
        await first.EndAsync();

        Assert.Equal((0, 0), Running());
        Assert.Equal(1, Sum("isolation.container.starts", "container"));
        Assert.Equal(2, Sum("isolation.container.starts", "exec"));
        Assert.Equal(["Killed", "Killed", "Signalled"], Of("isolation.container.duration").Select(run => (string)run.Tags["outcome"]!).Order());
    }

    [Fact]
    public async Task Cancelled_launches_count_as_such()
    {
        ContainerSpec spec = Sandbox.Host("sleep", "1000").Build();
        for (int i = 0; i < 30; i++)
        {
            using CancellationTokenSource source = new();
            Task<ContainerResult> run = spec.RunAsync(source.Token);
            Thread.SpinWait(i * 5_000);
            await source.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
        }

        Assert.Equal(30, Sum("isolation.container.starts", "container") + Sum("isolation.container.failures", "container"));
        Assert.All(Of("isolation.container.failures"), failure => Assert.Equal("Cancelled", failure.Tags["reason"]));
        Assert.Equal((0, 0), Running());
    }

    public void Dispose() => _listener.Dispose();

    private (int Containers, int Execs) Running()
    {
        lock (_gate) _measured.RemoveAll(measured => measured.Instrument == "isolation.container.running");
        _listener.RecordObservableInstruments();
        return (Sum("isolation.container.running", "container"), Sum("isolation.container.running", "exec"));
    }

    private int Sum(string instrument, string kind) => (int)Of(instrument).Where(measured => (string)measured.Tags["kind"]! == kind).Sum(measured => measured.Value);

    private (string Instrument, double Value, Dictionary<string, object?> Tags)[] Of(string instrument)
    {
        lock (_gate) return [.. _measured.Where(measured => measured.Instrument == instrument)];
    }

    private void Measured(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        Dictionary<string, object?> copy = [];
        foreach ((string key, object? tag) in tags) copy[key] = tag;
        lock (_gate) _measured.Add((instrument.Name, value, copy));
    }
}
