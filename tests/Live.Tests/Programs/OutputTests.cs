using System.Security.Cryptography;

namespace Isolation.Live.Tests;

/// <summary>Standard streams.</summary>
public sealed class OutputTests
{
    [Fact]
    public async Task Every_byte_arrives_on_its_own_stream()
    {
        using TemporaryDirectory directory = new();
        byte[] bytes = RandomNumberGenerator.GetBytes(3_000_001);
        byte[] others = [.. Enumerable.Range(0, 256).Select(value => (byte)value)];
        File.WriteAllBytes(directory["a"], bytes);
        File.WriteAllBytes(directory["b"], others);

        ContainerResult result = await Sandbox.HostShell("cat /data/b >&2; cat /data/a; cat /data/b >&2").WithReadOnlyBind(directory.Path, "/data").ResultAsync();

        Assert.True(result.StandardOutputBytes.Span.SequenceEqual(bytes));
        Assert.Equal(others.Concat(others), result.StandardErrorBytes.ToArray());
        Assert.Equal(0, result.DroppedOutputBytes);
    }

    [Fact]
    public async Task A_hundred_megabytes_arrive_whole()
    {
        const int Size = 100_000_000;

        ContainerResult result = await Sandbox.Host("head", "-c", $"{Size}", "/dev/zero").WithOutputLimit(Size).ResultAsync();

        Assert.Equal(Size, result.StandardOutputBytes.Length);
        Assert.False(result.StandardOutputBytes.Span.ContainsAnyExcept((byte)0));
        Assert.Equal(0, result.DroppedOutputBytes);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(5_000)]
    [InlineData(65_536)]
    public async Task What_is_over_the_limit_is_dropped_and_counted(int limit)
    {
        const int Size = 1_000_000;

        ContainerResult result = await Sandbox.HostShell($"head -c {Size} /dev/zero; head -c {Size} /dev/zero >&2").WithOutputLimit(limit).ResultAsync();

        Assert.True(result.Succeeded);
        Assert.Equal(limit, result.StandardOutputBytes.Length);
        Assert.Equal(limit, result.StandardErrorBytes.Length);
        Assert.Equal(2L * (Size - limit), result.DroppedOutputBytes);
    }

    [Fact]
    public async Task Standard_input_is_at_its_end() =>
        Assert.Equal("0", (await Sandbox.Host("wc", "-c").OutputAsync()).Trim());

    [Fact]
    public async Task Output_written_before_the_end_is_all_there()
    {
        using TestRoot root = new();
        await Parallel.ForAsync(0, 100, new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = Sandbox.Token }, async (i, cancel) =>
            Assert.Equal($"{i}", (await root.Shell($"echo -n {i}; kill -9 $$").RunAsync(cancel)).StandardOutput));
    }

    [Fact]
    public async Task What_is_left_running_with_the_pipe_does_not_hold_the_end_up()
    {
        ContainerResult result = await Sandbox.HostShell("sleep 1000 & echo $!").WithPidNs(NamespaceSource.Host).ResultAsync();

        int left = int.Parse(result.StandardOutput, System.Globalization.CultureInfo.InvariantCulture);
        using System.Diagnostics.Process sleeper = System.Diagnostics.Process.GetProcessById(left);
        Assert.True(result.Elapsed < TimeSpan.FromSeconds(900));
        sleeper.Kill();
        await Processes.EndsAsync(left);
    }

    [Fact]
    public async Task Bytes_that_are_no_text_become_replacement_characters()
    {
        ContainerResult result = await Sandbox.Host("printf", "a\\377b").ResultAsync();

        Assert.Equal("a\uFFFDb", result.StandardOutput);
        Assert.Equal([(byte)'a', 0xFF, (byte)'b'], result.StandardOutputBytes.ToArray());
    }
}
