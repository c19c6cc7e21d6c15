using Isolation.Cgroups;
using Isolation.Linux;

namespace Isolation;

public sealed partial class Container
{
    /// <summary>
    /// Changes limits while it runs, in an order that the kernel takes. All are changed, or none is. What is null stays as
    /// it is.
    /// </summary>
    /// <param name="limits">The new ones.</param>
    /// <param name="cancellationToken">Heard before anything is changed.</param>
    /// <exception cref="ArgumentException">A limit is out of range.</exception>
    /// <exception cref="CgroupException">The container was started without the controller (see <see cref="ContainerBuilder.WithCgroupControllers"/>), or the kernel refuses a value: nothing has changed.</exception>
    /// <exception cref="ContainerStateException">The container has ended.</exception>
    public Task UpdateLimitsAsync(ResourceLimits limits, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(limits);
        const string change = "change its limits";
        Cgroup group = GroupTo(change);

        // The kernel may have to reclaim memory before it takes a lower limit.
        return Task.Run(() => While(change, () => { group.Update(limits); return true; }), cancellationToken);
    }

    /// <inheritdoc cref="Cgroup.ReclaimMemoryAsync"/>
    /// <exception cref="ContainerStateException">The container has ended.</exception>
    public async Task<bool> ReclaimMemoryAsync(long bytes, CancellationToken cancellationToken = default)
    {
        const string reclaim = "take back its memory";
        try
        {
            return await GroupTo(reclaim).ReclaimMemoryAsync(bytes, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception gone) when (IsGone(gone))
        {
            throw Ended(reclaim);
        }
    }

    /// <summary>What the container has used, and uses now: of the controllers that it was started with.</summary>
    /// <param name="details">What to bring along beside what every reading has.</param>
    /// <exception cref="CgroupException">The container was started without limits, and so without a group; or a file cannot be read.</exception>
    /// <exception cref="ContainerStateException">The container has ended; <see cref="ContainerResult.Resources"/> has its totals.</exception>
    public CgroupStats ReadStats(CgroupStatsDetails details = CgroupStatsDetails.None)
    {
        const string read = "read its figures";
        return While(read, () => GroupTo(read).ReadStats(details));
    }

    /// <summary>A reading at once, and one at each whole interval; it ends with the container. Readings that nobody took in time are left out.</summary>
    /// <param name="interval">At least a millisecond.</param>
    /// <param name="details">What to bring along beside what every reading has.</param>
    /// <param name="cancellationToken">Ends the sequence with an exception.</param>
    /// <exception cref="CgroupException">The container was started without limits, and so without a group; or a reading failed.</exception>
    /// <exception cref="ContainerStateException">The container has ended.</exception>
    public IAsyncEnumerable<CgroupStats> SampleStatsAsync(TimeSpan interval, CgroupStatsDetails details = CgroupStatsDetails.None, CancellationToken cancellationToken = default)
    {
        const string read = "read its figures";
        return While(read, () => GroupTo(read).SampleAsync(interval, details, cancellationToken));
    }

    /// <summary>
    /// Watches what happens to the container's control group from now on, until the container has ended: memory that ran
    /// out, processes that could not be made, and the like. What came until the end is told after it too.
    /// </summary>
    /// <param name="kinds">What to tell; null for all that the group can tell.</param>
    /// <param name="pressure">Triggers, of which each is told as <see cref="CgroupEventKind.Pressure"/>. v2 only.</param>
    /// <exception cref="CgroupException">The container was started without limits, and so without a group; or the group cannot tell one of the kinds; or the kernel refuses a trigger.</exception>
    /// <exception cref="ContainerStateException">The container has ended.</exception>
    public CgroupEventWatch WatchLimits(IReadOnlyCollection<CgroupEventKind>? kinds = null, IReadOnlyCollection<CgroupPressureTrigger>? pressure = null)
    {
        const string watch = "watch its limits";
        return While(watch, () => GroupTo(watch).Watch(kinds, pressure));
    }

    /// <summary>What fails because the container has ended meanwhile says so.</summary>
    private T While<T>(string purpose, Func<T> act)
    {
        try
        {
            return act();
        }
        catch (Exception gone) when (IsGone(gone))
        {
            throw Ended(purpose);
        }
    }

    private bool IsGone(Exception exception) => Launch.GroupIsRemoved && exception is (ObjectDisposedException or LinuxException or CgroupException);

    private Cgroup GroupTo(string purpose)
    {
        if (!IsRunning) throw Ended(purpose);
        return Launch.Group?.Group
            ?? throw new CgroupException(CgroupErrorReason.ControllerUnavailable, $"Cannot {purpose}: the container was started without limits, and so without a control group", remedy: "name the controllers with WithCgroupControllers when it is started");
    }

    private static ContainerStateException Ended(string purpose) => new($"Cannot {purpose}", ContainerState.Ended);
}
