using System.Diagnostics;

namespace Isolation.Cgroups;

public sealed partial class Cgroup
{
    private const int RoundsBetweenBreaths = 50; // a second
    private const string FreezerV1File = "freezer.state", FreezerV2File = "cgroup.freeze", Frozen = "FROZEN", Thawed = "THAWED";

    /// <summary>
    /// Stops every process of the group where it stands, unseen by itself and its parent, and waits until all are stopped.
    /// v1 <c>freezer.state</c>, v2 <c>cgroup.freeze</c> (Linux 5.2).
    /// </summary>
    /// <param name="patience">How long to wait; then the group is thawed again.</param>
    /// <param name="cancellationToken">Ends the wait; the group is thawed again.</param>
    /// <exception cref="CgroupException">The group has no freezer, or a process does not stop: on v1, one that waits inside the kernel.</exception>
    public Task FreezeAsync(TimeSpan patience, CancellationToken cancellationToken = default) => FreezeAsync(patience, static () => false, cancellationToken);

    /// <summary>Lets the processes of a frozen group go on.</summary>
    /// <exception cref="CgroupException">The group has no freezer.</exception>
    public void Thaw() => Write(FreezerGroup(), frozen: false);

    /// <summary>Every group of v2 can be frozen (Linux 5.2), whatever it was made for; one of v1 where the controller was asked for.</summary>
    internal bool CanFreeze => Freezer is not null;

    /// <summary>Whether what is in it stands still, or what is put into it would: it is frozen or about to be, or a group above it is frozen.</summary>
    internal bool IsFrozen => Freezer is { } group && (group.Version == CgroupVersion.V1 ? group.TryRead(FreezerV1File) is not (null or Thawed) : IsFrozenV2(group) || group.TryRead(FreezerV2File) == "1");

    private static bool IsFrozenV2(GroupDirectory group) => group.TryRead("cgroup.events")?.Contains("frozen 1", StringComparison.Ordinal) == true;

    /// <param name="patience">How long to wait; then the group is thawed again.</param>
    /// <param name="isOver">Asked again and again: whether nobody wants this any more, and the group is to be thawed.</param>
    /// <param name="cancellationToken">Ends the wait; the group is thawed again.</param>
    internal async Task FreezeAsync(TimeSpan patience, Func<bool> isOver, CancellationToken cancellationToken)
    {
        GroupDirectory group = FreezerGroup();
        bool v1 = group.Version == CgroupVersion.V1;
        long start = Stopwatch.GetTimestamp();
        try
        {
            for ((int round, int delay) = (1, 1); !isOver(); (round, delay) = (round + 1, Math.Min(delay * 2, 20)))
            {
                // Who waits for another that was killed, and is frozen on its way out, is never frozen itself.
                if (v1 && round % RoundsBetweenBreaths == 0)
                {
                    TryWrite(group, frozen: false);
                    await Task.Delay(1, cancellationToken).ConfigureAwait(false);
                }

                // v1 must be told again: what was forked meanwhile is not frozen with the rest.
                Write(group, frozen: true);
                if (v1 ? group.Read(FreezerV1File) == Frozen : IsFrozenV2(group))
                {
                    if (isOver()) break;
                    return;
                }

                if (Stopwatch.GetElapsedTime(start) > patience) throw new CgroupException(CgroupErrorReason.Busy, $"Not every process of the control group '{group.Path}' stops", remedy: "one waits inside the kernel, as a rule for a disk or a network file system: see /proc/PID/stack");
                await Task.Delay(delay, cancellationToken).ConfigureAwait(false);
            }
        }
        catch
        {
            TryWrite(group, frozen: false);
            throw;
        }

        TryWrite(group, frozen: false);
    }

    /// <summary>On v1 what was killed dies when it thaws, and not before. v2 needs none of this.</summary>
    /// <param name="processId">Of one that leaves the frozen group, and no other does; null for all.</param>
    internal void LetDie(int? processId)
    {
        if (_parts.FirstOrDefault(part => part.Controllers.Contains(CgroupController.Freezer)) is not { Group.Version: CgroupVersion.V1 } part) return;
        if (processId is { } process) part.Parent.TryWrite("cgroup.procs", LimitText.Of(process));
        else TryWrite(part.Group, frozen: false);
    }

    private GroupDirectory? Freezer => Of(CgroupController.Freezer) ?? _parts.FirstOrDefault(part => part.Group.Version == CgroupVersion.V2 && part.Group.Has(FreezerV2File))?.Group;

    private GroupDirectory FreezerGroup() => Freezer
        ?? throw new CgroupException(CgroupErrorReason.ControllerUnavailable, $"The control group '{Name}' was made without the freezer", remedy: "name it in CgroupOptions.Controllers when the group is made");

    /// <summary>Where the group has the file: of one that was found by its directories nobody knows the controllers.</summary>
    private static void TryWrite(GroupDirectory group, bool frozen)
    {
        (string file, string value) = Setting(group.Version, frozen);
        group.TryWrite(file, value);
    }

    private static void Write(GroupDirectory group, bool frozen)
    {
        (string file, string value) = Setting(group.Version, frozen);
        try
        {
            group.Write(file, value);
        }
        catch (Linux.LinuxException exception)
        {
            throw GroupFailures.Of(exception, $"write '{value}' to {group.Path}/{file}");
        }
    }

    private static (string File, string Value) Setting(CgroupVersion version, bool frozen) =>
        version == CgroupVersion.V1 ? (FreezerV1File, frozen ? Frozen : Thawed) : (FreezerV2File, frozen ? "1" : "0");
}
