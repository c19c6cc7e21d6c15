using System.Diagnostics;
using Isolation.Cgroups;

namespace Isolation.Live.Tests;

/// <summary>Block devices. In the virtual machine there is one that keeps nothing; elsewhere a file is written to the disk.</summary>
[Trait("Lane", "VM")]
public sealed class CgroupIoTests
{
    internal const string Nothing = "/dev/nullb0";
    private const int Bytes = 3 << 20;

    [Fact]
    public async Task A_write_is_throttled_and_counted()
    {
        using TemporaryDirectory directory = new();
        string device = BlockDevice(), target = File.Exists(Nothing) ? Nothing : directory["file"];
        string[] arguments = ["if=/dev/zero", $"of={target}", "bs=64k", "count=48", "oflag=direct"];
        (int freely, _, string error) = await Sandbox.OnHostAsync("dd", arguments);
        Assert.SkipWhen(error.Contains("Invalid argument", StringComparison.Ordinal), $"the file system of '{target}' knows no direct writes (open(2), O_DIRECT)");
        Assert.True(freely == 0, error);
        await using CgroupScope scope = CgroupScope.Create(new() { IoDevices = [new(DeviceNumber.Parse(device)) { WriteBytesPerSecond = 1 << 20 }] }, CgroupController.Io);
        Stopwatch watch = Stopwatch.StartNew();

        (int exitCode, _) = await scope.RunAsync($"dd {string.Join(' ', arguments)}");

        Assert.Equal(0, exitCode);
        Assert.InRange(watch.Elapsed.TotalSeconds, 1.5, 600); // 3 MiB at 1 MiB a second, of which the first may be let through
        CgroupDeviceIo io = Figures(scope, device);
        Assert.InRange(io.WrittenBytes!.Value, Bytes, 2 * Bytes); // a file system writes more than it is told
        Assert.InRange(io.Writes!.Value, 1, 1000);
    }

    /// <summary>Of a file, what is written and read passes by the cache of pages (open(2), O_DIRECT).</summary>
    [Theory]
    [InlineData("read bytes")]
    [InlineData("read operations")]
    [InlineData("write operations")]
    public async Task Bytes_and_operations_are_throttled_each_and_counted(string what)
    {
        using TemporaryDirectory directory = new();
        string device = BlockDevice(), file = File.Exists(Nothing) ? Nothing : directory["file"];
        (int freely, _, string error) = await Sandbox.OnHostAsync("dd", ["if=/dev/zero", $"of={file}", "bs=64k", "count=48", "oflag=direct"]);
        Assert.SkipWhen(error.Contains("Invalid argument", StringComparison.Ordinal), $"the file system of '{file}' knows no direct writes (open(2), O_DIRECT)");
        Assert.True(freely == 0, error);
        IoDeviceLimit none = new(DeviceNumber.Parse(device));
        IoDeviceLimit limit = what switch { "read bytes" => none with { ReadBytesPerSecond = 1 << 20 }, "read operations" => none with { ReadOperationsPerSecond = 24 }, _ => none with { WriteOperationsPerSecond = 24 } };
        bool reads = what.StartsWith("read", StringComparison.Ordinal);
        await using CgroupScope scope = CgroupScope.Create(new() { IoDevices = [limit] }, CgroupController.Io);
        Stopwatch watch = Stopwatch.StartNew();

        (int exitCode, _) = await scope.RunAsync("dd bs=64k count=48 " + (reads ? $"if={file} of=/dev/null iflag=direct" : $"if=/dev/zero of={file} oflag=direct conv=notrunc"));

        Assert.Equal(0, exitCode);
        Assert.InRange(watch.Elapsed.TotalSeconds, 0.8, 600);
        CgroupDeviceIo io = Figures(scope, device);
        Assert.InRange((reads ? io.ReadBytes : io.WrittenBytes)!.Value, Bytes, 2 * Bytes);
        Assert.InRange((reads ? io.Reads : io.Writes)!.Value, 24, 1000);
    }

    [Fact]
    public async Task A_latency_is_what_was_said()
    {
        string device = BlockDevice();
        ResourceLimits limits = new() { IoDevices = [new(DeviceNumber.Parse(device)) { Latency = TimeSpan.FromMilliseconds(20) }] };
        CgroupScope.Requires(CgroupController.Io);
        if (await CgroupScope.HasFileAsync(CgroupController.Io, "io.latency"))
        {
            await using CgroupScope scope = CgroupScope.Create(limits, CgroupController.Io);
            Assert.Equal($"{device} target=20000", scope.File(CgroupController.Io, "io.latency"));
            return;
        }

        CgroupException exception = Assert.Throws<CgroupException>(() => Cgroup.Create(CgroupScope.NewName(), limits));
        Assert.Equal(CgroupErrorReason.NotSupported, exception.Reason);
        Assert.Contains("io.latency", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_device_that_is_not_there_is_an_error()
    {
        CgroupScope.Requires(CgroupController.Io);
        CgroupException exception = Assert.Throws<CgroupException>(() => Cgroup.Create(CgroupScope.NewName(), new() { IoDevices = [new(DeviceNumber.Parse("250:4095")) { WriteBytesPerSecond = 1 << 20 }] }));

        Assert.Equal(CgroupErrorReason.InvalidValue, exception.Reason);
        Assert.Contains("250:4095", exception.Message, StringComparison.Ordinal);
        Assert.Contains("lsblk", exception.Remedy, StringComparison.Ordinal);
    }

    private static CgroupDeviceIo Figures(CgroupScope scope, string device) => Entries(scope, device).Single();

    internal static IEnumerable<CgroupDeviceIo> Entries(CgroupScope scope, string device) =>
        scope.Group.ReadStats().Io!.Value.Where(entry => $"{entry.Major}:{entry.Minor}" == device);

    internal static string BlockDevice()
    {
        if (File.Exists(Nothing)) return File.ReadAllText("/sys/block/nullb0/dev").Trim();
        string mount = MountLine.Parse(File.ReadAllText("/proc/self/mountinfo")).Where(mount => Path.GetTempPath().StartsWith(mount.Path, StringComparison.Ordinal)).MaxBy(mount => mount.Path.Length)!.Path;
        string number = File.ReadAllLines("/proc/self/mountinfo").Last(line => line.Split(' ')[4] == mount).Split(' ')[2];
        Assert.SkipUnless(Directory.Exists($"/sys/dev/block/{number}") && !File.Exists($"/sys/dev/block/{number}/partition"), "no block device of a whole disk holds the temporary directory");
        return number;
    }
}
