using Isolation.Launch;
using static Isolation.Linux.Abi;
using static Isolation.Linux.SystemCall;

namespace Isolation.Tests;

/// <summary>Which copies of the host's mounts must become read-only, each a bit; and which steps make them so.</summary>
internal sealed class ReadOnlyMounts
{
    private readonly Dictionary<Slot, ulong> _bits = [];
    private readonly HashSet<LaunchStep> _copies = [];

    internal ReadOnlyMounts(PlanInputs inputs, LaunchPlan plan)
    {
        Queue<BindMount> binds = new(inputs.Spec.Mounts.OfType<BindMount>());
        foreach (LaunchStep step in plan.Steps.Where(step => step.Call == open_tree && step.IsCurrentDirectory(0)))
        {
            // Binds are opened first, in their order.
            bool must = binds.TryDequeue(out BindMount? bind) ? bind.Options.ReadOnly : MustBe(inputs, step);
            if (!must) continue;
            if (!_bits.ContainsKey(step.Result!)) _bits.Add(step.Result!, 1UL << _bits.Count);
            _copies.Add(step);
        }

        Assert.InRange(_bits.Count, 0, 63);
    }

    internal ulong BitOf(LaunchStep openTree) => _copies.Contains(openTree) ? _bits[openTree.Result!] : 0;

    internal ulong MadeSo(LaunchStep setAttributes) =>
        setAttributes.SlotOf(0) is { } slot && (setAttributes.Word(3, 0) & MOUNT_ATTR_RDONLY) != 0 ? _bits.GetValueOrDefault(slot) : 0;

    internal ulong MadeSo(LaunchStep remount, Slot? atDescriptor) =>
        atDescriptor is not null && ((ulong)remount.Number(3) & (MS_REMOUNT | MS_BIND | MS_RDONLY)) == (MS_REMOUNT | MS_BIND | MS_RDONLY)
            ? _bits.GetValueOrDefault(atDescriptor) : 0;

    private static bool MustBe(PlanInputs inputs, LaunchStep step)
    {
        string path = step.Text(1)!;
        if (path == "/proc" || path.StartsWith("/dev/", StringComparison.Ordinal)) return false;
        if (step.Purpose.StartsWith("lay a private layer", StringComparison.Ordinal)) return false; // nothing beneath one is ever written
        return inputs.Spec.Root is not DirectoryRoot root || path == "/sys" || root.Access == RootAccess.ReadOnly;
    }
}
