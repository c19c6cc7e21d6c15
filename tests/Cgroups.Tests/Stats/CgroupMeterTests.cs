using System.Diagnostics.Metrics;
using System.Globalization;

namespace Isolation.Cgroups.Tests.Stats;

public sealed class CgroupMeterTests
{
    private static readonly (string, string)[] Files =
    [
        ("cpu.stat", "usage_usec 5000000\nuser_usec 3000000\nsystem_usec 2000000\n"), ("memory.current", "1000\n"), ("memory.max", "5000\n"),
        ("memory.stat", "anon 300\ninactive_file 400\npgfault 10\npgmajfault 2\n"), ("io.stat", "8:0 rbytes=7 wbytes=9\n"),
    ];

    [Fact]
    public void Figures_come_under_the_names_of_the_convention()
    {
        using GroupDirectory group = new(Files);
        using StatsReader reader = Open(group);
        using CgroupMeter meter = new();
        using MeteredGroup registration = meter.Register(() => reader.Read(), "0123", "web");

        Assert.Equal(
            [
                "container.cpu.time{s} container.id=0123 container.name=web cpu.mode=kernel: 2",
                "container.cpu.time{s} container.id=0123 container.name=web cpu.mode=user: 3",
                "container.disk.io{By} container.id=0123 container.name=web disk.io.direction=read system.device=8:0: 7",
                "container.disk.io{By} container.id=0123 container.name=web disk.io.direction=write system.device=8:0: 9",
                "container.memory.available{By} container.id=0123 container.name=web: 4400",
                "container.memory.rss{By} container.id=0123 container.name=web: 300",
                "container.memory.usage{By} container.id=0123 container.name=web: 1000",
                "container.memory.working_set{By} container.id=0123 container.name=web: 600",
                "container.paging.faults{{fault}} container.id=0123 container.name=web system.paging.fault.type=major: 2",
                "container.paging.faults{{fault}} container.id=0123 container.name=web system.paging.fault.type=minor: 8",
            ],
            Collect(meter));
    }

    [Fact]
    public void Instruments_are_of_the_kinds_of_the_convention()
    {
        using CgroupMeter meter = new();
        List<string> kinds = [];
        using MeterListener listener = new() { InstrumentPublished = (instrument, _) => Note(instrument) };
        listener.Start();

        Assert.Equal(
            [
                "container.cpu.time ObservableCounter`1", "container.cpu.usage ObservableGauge`1", "container.disk.io ObservableCounter`1",
                "container.memory.available ObservableUpDownCounter`1", "container.memory.rss ObservableUpDownCounter`1", "container.memory.usage ObservableUpDownCounter`1",
                "container.memory.working_set ObservableUpDownCounter`1", "container.paging.faults ObservableCounter`1",
            ],
            kinds.Order(StringComparer.Ordinal));

        void Note(Instrument instrument)
        {
            if (meter.Owns(instrument)) kinds.Add($"{instrument.Name} {instrument.GetType().Name}");
        }
    }

    [Fact]
    public void Processors_in_use_are_told_from_the_second_collection_on()
    {
        using GroupDirectory group = new(("cpu.stat", "usage_usec 0\n"));
        using StatsReader reader = Open(group);
        ManualTime time = new();
        using CgroupMeter meter = new(time);
        using MeteredGroup registration = meter.Register(() => reader.Read(), "a");
        Assert.Equal(["container.cpu.time{s} container.id=a: 0"], Collect(meter));

        Thread.Sleep(100);
        time.Advance(TimeSpan.FromSeconds(1));
        group.Write("cpu.stat", "usage_usec 60000000\n");

        string usage = Assert.Single(Collect(meter), line => line.StartsWith("container.cpu.usage{{cpu}} container.id=a: ", StringComparison.Ordinal));
        Assert.InRange(double.Parse(usage[usage.LastIndexOf(' ')..], CultureInfo.InvariantCulture), 0.5, 601);
    }

    [Fact]
    public void Without_a_limit_nothing_is_said_to_be_left()
    {
        using GroupDirectory group = new(("memory.current", "1000\n"), ("memory.max", "max\n"), ("memory.stat", "inactive_file 0\n"));
        using StatsReader reader = Open(group);
        using CgroupMeter meter = new();
        using MeteredGroup registration = meter.Register(() => reader.Read(), "a");

        Assert.Equal(["container.memory.usage{By} container.id=a: 1000", "container.memory.working_set{By} container.id=a: 1000"], Collect(meter));
    }

    [Fact]
    public void Nothing_is_read_until_somebody_collects_and_then_once_for_all_instruments()
    {
        using GroupDirectory group = new(("pids.current", "not a number\n"), ("memory.current", "1\n"));
        using StatsReader reader = Open(group);
        ManualTime time = new();
        using CgroupMeter meter = new(time);
        using MeteredGroup registration = meter.Register(() => reader.Read(), "a");
        Assert.Null(registration.Failure); // a reading would have failed

        Assert.Empty(Collect(meter));
        Assert.Equal(CgroupErrorReason.Malformed, Assert.IsType<CgroupException>(registration.Failure).Reason);

        group.Write("pids.current", "1\n");
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(["container.memory.usage{By} container.id=a: 1"], Collect(meter));
        Assert.Null(registration.Failure);
        group.Write("memory.current", "2\n");
        Assert.Equal(["container.memory.usage{By} container.id=a: 1"], Collect(meter)); // no time has passed: the same collection
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(["container.memory.usage{By} container.id=a: 2"], Collect(meter));
    }

    [Fact]
    public void A_group_that_is_unregistered_or_cannot_be_read_leaves_the_others_alone()
    {
        using GroupDirectory first = new(("memory.current", "1\n")), second = new(("memory.current", "2\n")), third = new(("memory.current", "3\n"));
        using StatsReader firstReader = Open(first), secondReader = Open(second), thirdReader = Open(third);
        using CgroupMeter meter = new();
        using MeteredGroup one = meter.Register(() => firstReader.Read(), "1"), two = meter.Register(() => secondReader.Read(), "2"), three = meter.Register(() => thirdReader.Read(), "3");

        one.Dispose();
        one.Dispose();
        secondReader.Dispose();

        Assert.Equal(["container.memory.usage{By} container.id=3: 3"], Collect(meter));
    }

    private static StatsReader Open(GroupDirectory group) => new(
        [.. new[] { CgroupController.Cpu, CgroupController.Memory, CgroupController.Io, CgroupController.Pids }.Select(controller => group.As(controller, CgroupVersion.V2))]);

    private static List<string> Collect(CgroupMeter meter)
    {
        List<string> lines = [];
        using MeterListener listener = new()
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (meter.Owns(instrument)) listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, FormattableString.Invariant($"{value}"), tags));
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, FormattableString.Invariant($"{value}"), tags));
        listener.Start();
        listener.RecordObservableInstruments();
        lines.Sort(StringComparer.Ordinal);
        return lines;

        void Add(Instrument instrument, string value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            string attributes = string.Concat(tags.ToArray().OrderBy(tag => tag.Key, StringComparer.Ordinal).Select(tag => $" {tag.Key}={tag.Value}"));
            lines.Add($"{instrument.Name}{{{instrument.Unit}}}{attributes}: {value}");
        }
    }
}
