using Microsoft.Win32.SafeHandles;

namespace Isolation.Live.Tests;

/// <summary>Descriptors besides the standard streams.</summary>
public sealed class DescriptorTests
{
    [Fact]
    public async Task None_is_inherited() =>
        Assert.Equal(["0", "1", "2"], await Sandbox.HostShell("ls /proc/$$/fd").LinesAsync());

    [Fact]
    [Trait("Lane", "VM")]
    public async Task Those_asked_for_are_there_and_no_other()
    {
        using TemporaryDirectory directory = new();
        using SafeFileHandle first = File.OpenHandle(directory.Write("first", "one\n"));
        using SafeFileHandle second = File.OpenHandle(directory.Write("second", "two\n"));

        string[] lines = await Sandbox.HostShell("ls /proc/$$/fd; cat <&7; cat /proc/$$/fd/200").WithDescriptor(7, first).WithDescriptor(200, second).LinesAsync();

        Assert.Equal(["0", "1", "2", "200", "7", "one", "two"], lines);
        Assert.False(first.IsClosed);
        Assert.Equal(1, RandomAccess.Read(second, new byte[1], 0));
    }

    [Fact]
    public async Task They_are_there_for_an_exec_and_with_an_init()
    {
        using TemporaryDirectory directory = new();
        using SafeFileHandle handle = File.OpenHandle(directory.Write("file", "one\n"));
        await using Container container = await Sandbox.SleeperAsync(builder => builder.WithInit());

        Assert.Equal("0\n1\n2\n5\none", await container.NewProcess().WithCommand("sh", "-c", "ls /proc/$$/fd; cat <&5").WithDescriptor(5, handle).OutputAsync());
        Assert.Equal("0\n1\n2\n3", await Sandbox.HostShell("ls /proc/$$/fd").WithInit().WithDescriptor(3, handle).OutputAsync());
    }

    [Fact]
    public void Numbers_of_the_standard_streams_are_refused()
    {
        using SafeFileHandle handle = File.OpenHandle("/dev/null");

        Assert.Throws<ArgumentOutOfRangeException>(() => Sandbox.Host("true").WithDescriptor(2, handle));
        Assert.Throws<ArgumentOutOfRangeException>(() => Sandbox.Host("true").WithDescriptor(1001, handle));
        Assert.Throws<ArgumentNullException>(() => Sandbox.Host("true").WithDescriptor(3, null!));
    }

    [Fact]
    public async Task A_handle_that_was_closed_is_refused()
    {
        SafeFileHandle handle = File.OpenHandle("/dev/null");
        handle.Dispose();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => Sandbox.Host("true").WithDescriptor(3, handle).ResultAsync());
    }
}
