using Microsoft.Extensions.Logging;

namespace Isolation.Live.Tests;

/// <summary>One tmpfs directory of the host bound into two containers that run at once.</summary>
public sealed class SharedTmpfsTests
{
    [Fact]
    public async Task A_warning_names_the_directory_and_both()
    {
        using TemporaryDirectory directory = new("/dev/shm");
        ListLogger logger = new();
        await using Container first = await Sandbox.SleeperAsync(builder => builder.WithBind(directory.Path, "/data").WithLogger(logger));
        Assert.Empty(logger.Entries);

        await using Container second = await Sandbox.SleeperAsync(builder => builder.WithBind(directory.Path, "/elsewhere").WithLogger(logger));

        (LogLevel level, string text) = Assert.Single(logger.Entries);
        Assert.Equal(LogLevel.Warning, level);
        Assert.Contains(directory.Path, text, StringComparison.Ordinal);
        Assert.Contains(first.Id, text, StringComparison.Ordinal);
        Assert.Contains(second.Id, text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_after_the_other_is_no_mistake()
    {
        using TemporaryDirectory directory = new("/dev/shm");
        ListLogger logger = new();
        for (int i = 0; i < 3; i++)
            await Sandbox.Host("true").WithBind(directory.Path, "/data").WithLogger(logger).OutputAsync();

        Assert.Empty(logger.Entries);
    }

    [Fact]
    public async Task The_first_ends_and_the_second_is_still_known()
    {
        using TemporaryDirectory directory = new("/dev/shm");
        ListLogger logger = new();
        Container first = await Sandbox.SleeperAsync(builder => builder.WithBind(directory.Path, "/data"));
        await using Container second = await Sandbox.SleeperAsync(builder => builder.WithBind(directory.Path, "/data"));
        await first.DisposeAsync();

        await using Container third = await Sandbox.SleeperAsync(builder => builder.WithBind(directory.Path, "/data").WithLogger(logger));

        Assert.Contains(second.Id, Assert.Single(logger.Entries).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_directory_on_a_disk_is_shared_on_purpose()
    {
        using TemporaryDirectory directory = new("/var/tmp");
        ListLogger logger = new();
        await using Container first = await Sandbox.SleeperAsync(builder => builder.WithBind(directory.Path, "/data"));
        await using Container second = await Sandbox.SleeperAsync(builder => builder.WithBind(directory.Path, "/data").WithLogger(logger));

        Assert.Empty(logger.Entries);
    }
}
