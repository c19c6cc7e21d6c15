namespace Isolation.Cgroups;

/// <summary>Takes the figures out of a file's text.</summary>
/// <param name="file">The file's name, for messages.</param>
/// <param name="text">All of it.</param>
/// <param name="draft">Where the figures go.</param>
/// <exception cref="CgroupException">Malformed, and no other.</exception>
internal delegate void StatsParser(string file, ReadOnlySpan<byte> text, StatsDraft draft);

/// <summary>A file that has figures. Pure: it is not opened here.</summary>
/// <param name="Name">Its name in the group's directory.</param>
/// <param name="Parse">Takes the figures out of it.</param>
internal sealed record StatsFile(string Name, StatsParser Parse)
{
    /// <summary>What to read where this one does not exist.</summary>
    internal StatsFile? Otherwise { get; init; }

    /// <summary>Read only when asked for this.</summary>
    internal CgroupStatsDetails Detail { get; init; }
}
