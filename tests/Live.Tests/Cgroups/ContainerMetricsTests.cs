using System.Diagnostics.Metrics;
using Isolation.Cgroups;

namespace Isolation.Live.Tests;

/// <summary>A container's figures, as whoever collects metrics sees them.</summary>
[Trait("Lane", "VM")]
public sealed class ContainerMetricsTests
{
    [Fact]
    public async Task A_container_with_a_group_is_measured_while_it_runs_and_not_afterwards()
    {
        CgroupScope.RequiresGroups();
        string id;
        await using (Container container = await Sandbox.HostShell("i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; echo ready; exec sleep 1000")
            .WithMemoryLimit(64 << 20).WithCgroupControllers(CgroupController.CpuAccounting).WithOutput(OutputTarget.Pipe).BeginAsync())
        {
            await container.StandardOutput.ReadUntilAsync("ready");
            id = container.Id;
            Dictionary<string, double> figures = Collect(id);
            Assert.InRange(figures["container.memory.usage"], 1, 64 << 20);
            Assert.InRange(figures["container.memory.available"], 1, 64 << 20);
            Assert.InRange(figures["container.cpu.time"], 0.01, 60);
        }

        Assert.Empty(Collect(id));
    }

    [Fact]
    public async Task A_group_of_ones_own_is_measured_on_request()
    {
        await using CgroupScope scope = CgroupScope.Create(new() { Memory = 64 << 20 }, CgroupController.Memory);
        using IDisposable published = scope.Group.Publish(scope.Group.Name, "mine");

        Assert.Contains("container.memory.usage", Collect(scope.Group.Name).Keys);
        published.Dispose();
        Assert.Empty(Collect(scope.Group.Name));
    }

    private static Dictionary<string, double> Collect(string id)
    {
        Dictionary<string, double> figures = [];
        using MeterListener listener = new()
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == Cgroup.MeterName) listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Note(instrument, value, tags));
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Note(instrument, value, tags));
        listener.Start();
        listener.RecordObservableInstruments();
        return figures;

        void Note(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            foreach ((string key, object? tag) in tags)
                if (key == "container.id" && id.Equals(tag)) figures[instrument.Name] = figures.GetValueOrDefault(instrument.Name) + value;
        }
    }
}
