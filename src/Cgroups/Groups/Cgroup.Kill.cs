using System.Diagnostics;
using Isolation.Linux;

namespace Isolation.Cgroups;

public sealed partial class Cgroup
{
    private const string PidsMost = "pids.max", KillFile = "cgroup.kill";
    private static readonly TimeSpan KillPatience = TimeSpan.FromSeconds(10), LongestDying = TimeSpan.FromMinutes(5), LiftPatience = TimeSpan.FromMilliseconds(100);

    /// <summary>By file, what it says where there is no limit.</summary>
    private static readonly (string File, string Free)[] ProcessorLimits = [("cpu.idle", "0"), ("cpu.max", "max"), ("cpu.cfs_quota_us", "-1")];

    /// <summary>
    /// Kills every process of the group and of those beneath it with SIGKILL, and waits until none is left: a fork bomb
    /// too, and a frozen group. By <c>cgroup.kill</c> (v2, Linux 5.14); else they may make no further process, are
    /// frozen, where the group has what that takes, and are signalled until there is none.
    /// </summary>
    /// <remarks>Those that have not ended at once get all the time of processors that they need to end: their quota and idleness are lifted until then.</remarks>
    /// <exception cref="CgroupException">None has ended for ten seconds, though they were killed, nor does any run or wait for a processor, or none for five minutes: they hang inside the kernel. Or they cannot be killed, for want of descriptors or of rights.</exception>
    public async Task KillAsync(CancellationToken cancellationToken = default)
    {
        List<(GroupDirectory Group, string File, string Value)> changed = [];
        try
        {
            changed.AddRange(Held().SelectMany(group => Read(group, PidsMost)));
            await KillAllAsync(changed, cancellationToken).ConfigureAwait(false);
        }
        catch (LinuxException exception)
        {
            throw GroupFailures.Of(exception, $"kill the processes of the control group '{Name}'");
        }
        finally
        {
            foreach ((GroupDirectory group, string file, string value) in changed) group.TryWrite(file, value);
        }
    }

    private async Task KillAllAsync(List<(GroupDirectory Group, string File, string Value)> changed, CancellationToken cancellationToken)
    {
        const int RoundsToForget = 50; // a number can come to be another process's
        HashSet<int> signalled = [];
        int least = int.MaxValue;
        long began = Stopwatch.GetTimestamp(), progress = began, seen = began;
        bool lifted = false;
        for (int round = 1; ; round++)
        {
            int left = Kill(signalled);
            if (left == 0) return;

            // Their dying is waited for, and not the killing: among a hundred that fork, the first round alone can take seconds.
            if (left < least) (least, progress, seen) = (left, Stopwatch.GetTimestamp(), Stopwatch.GetTimestamp());
            if (Stopwatch.GetElapsedTime(seen) > KillPatience)
            {
                // Hundreds that share a slow processor all die at the end, and who is under a quota that is not of this group takes long.
                if (Stopwatch.GetElapsedTime(progress) > LongestDying || !Remaining().Any(ProcessStat.IsRunnable))
                    throw new CgroupException(CgroupErrorReason.Busy, $"Processes of the control group '{Name}' do not end: {string.Join(", ", Remaining().Take(10))}", remedy: "they wait inside the kernel, as a rule for a disk or a network file system: see /proc/PID/stack");
                seen = Stopwatch.GetTimestamp();
            }

            if (!lifted && Stopwatch.GetElapsedTime(began) > LiftPatience)
            {
                lifted = true;
                changed.AddRange(LiftProcessorLimits());
            }

            if (round % RoundsToForget == 0) signalled.Clear();
            await Task.Delay(Math.Min(1 << Math.Min(round - 1, 5), 20), cancellationToken).ConfigureAwait(false);
        }
    }

    private IEnumerable<int> Remaining() => _parts.SelectMany(part => Tree(part.Group, group => group.Processes())).Distinct();

    /// <summary>To end takes a process time of a processor, of which a thousand under a small quota have too little.</summary>
    private List<(GroupDirectory Group, string File, string Value)> LiftProcessorLimits()
    {
        List<(GroupDirectory Group, string File, string Value)> lifted = [];
        foreach (GroupPart part in _parts)
        {
            foreach ((string file, string free) in ProcessorLimits)
            {
                foreach ((GroupDirectory Group, string File, string Value) was in Read(part.Group, file).Where(was => !was.Value.StartsWith(free, StringComparison.Ordinal)))
                    if (part.Group.TryWrite(file, free) >= 0) lifted.Add(was);
            }
        }

        return lifted;
    }

    private static IEnumerable<(GroupDirectory Group, string File, string Value)> Read(GroupDirectory group, string file) => group.TryRead(file) is { } value ? [(group, file, value)] : [];

    /// <summary>One round: kills whoever is there.</summary>
    internal void Kill() => Kill([]);

    /// <param name="signalled">Who was killed before and need not be again; those that are killed now are added.</param>
    /// <returns>How many there were.</returns>
    private int Kill(HashSet<int> signalled)
    {
        int left = 0;
        foreach (GroupPart part in _parts)
            if (part.Group.TryWrite(KillFile, "1") == 0 && IsPopulated(part.Group)) left += Math.Max(1, Tree(part.Group, group => group.Processes()).Count());
        List<GroupDirectory> held = [.. Held()];
        int[] processes = [.. held.SelectMany(group => Tree(group, inner => inner.Processes())).Distinct()];
        if (processes.All(signalled.Contains)) return left + processes.Length; // to be held up again would hold up their dying

        // All of them first: who may make no process and who is frozen are in different hierarchies of v1.
        try
        {
            foreach (GroupDirectory group in held)
            {
                group.TryWrite(PidsMost, "0");
                TryWrite(group, frozen: true);
            }

            foreach (GroupDirectory group in held) signalled.UnionWith(Tree(group, KillEach));
        }
        finally
        {
            // On v1 what is frozen dies when it thaws.
            foreach (GroupDirectory group in held) TryWrite(group, frozen: false);
        }

        return left + processes.Length;
    }

    /// <summary>Those that cannot be killed at once, in which others could be made while those that are there are counted off.</summary>
    private IEnumerable<GroupDirectory> Held() => _parts.Select(part => part.Group).Where(group => group.Version == CgroupVersion.V1 || !group.Has(KillFile));

    /// <summary>By descriptor, and looked at once more: a number could be another process's by now.</summary>
    /// <returns>Whom it found.</returns>
    private static List<int> KillEach(GroupDirectory group)
    {
        List<int> processes = group.Processes();
        foreach (int process in processes)
        {
            try
            {
                using PidDescriptor descriptor = PidDescriptor.Open(process);
                if (group.Processes().Contains(process)) descriptor.SendSignal(Abi.SIGKILL);
            }
            catch (LinuxException exception) when (exception.Errno is Errno.ESRCH)
            {
                // Ended since.
            }
        }

        return processes;
    }

    private static bool IsPopulated(GroupDirectory group) => group.TryRead("cgroup.events")?.Contains("populated 1", StringComparison.Ordinal) == true;

    private static IEnumerable<T> Tree<T>(GroupDirectory group, Func<GroupDirectory, List<T>> look)
    {
        foreach (T found in look(group)) yield return found;
        foreach (string name in group.Children())
        {
            GroupDirectory child;
            try
            {
                child = group.Child(name);
            }
            catch (CgroupException)
            {
                continue; // removed since
            }

            using (child)
                foreach (T found in Tree(child, look)) yield return found;
        }
    }
}
