using Isolation.Launch;
using Isolation.Linux;
using static Isolation.Linux.Abi;
using static Isolation.Linux.SystemCall;

namespace Isolation.Tests;

/// <summary>
/// What must still be done to copies of the host's mounts before the program starts, a bit each: that some become
/// read-only, and that binds have the propagation that was asked for.
/// </summary>
internal sealed class MountDuties
{
    private readonly Dictionary<Slot, ulong> _readOnly = [];
    private readonly Dictionary<Slot, (ulong Bit, ulong Propagation)> _propagation = [];
    private readonly Dictionary<LaunchStep, ulong> _arising = [];

    internal MountDuties(PlanInputs inputs, LaunchPlan plan)
    {
        int bits = 0;
        Queue<BindMount> binds = new(inputs.Spec.Mounts.OfType<BindMount>());
        foreach (LaunchStep step in plan.Steps.Where(step => step.Call == open_tree && step.IsCurrentDirectory(0)))
        {
            // Binds are opened first, in their order.
            bool isBind = binds.TryDequeue(out BindMount? bind);
            ulong arising = 0;
            if (isBind) arising |= (_propagation[step.Result!] = (1UL << bits++, Flag(bind!.Options.Propagation))).Bit;
            if (isBind ? bind!.Options.ReadOnly : MustBeReadOnly(inputs, step))
            {
                if (!_readOnly.ContainsKey(step.Result!)) _readOnly.Add(step.Result!, 1UL << bits++);
                arising |= _readOnly[step.Result!];
            }

            _arising.Add(step, arising);
        }

        Assert.InRange(bits, 0, 64);
    }

    internal ulong ArisingFrom(LaunchStep openTree) => _arising.GetValueOrDefault(openTree);

    internal ulong DoneBySetAttr(LaunchStep setAttr)
    {
        if (setAttr.SlotOf(0) is not { } slot) return 0;
        ulong done = (setAttr.Word(3, 0) & MOUNT_ATTR_RDONLY) != 0 ? _readOnly.GetValueOrDefault(slot) : 0;
        return done | (_propagation.TryGetValue(slot, out (ulong Bit, ulong Propagation) duty) && setAttr.Word(3, 2) == duty.Propagation ? duty.Bit : 0);
    }

    internal ulong DoneByMount(LaunchStep remount, Slot? atDescriptor)
    {
        if (atDescriptor is null) return 0;
        ulong flags = (ulong)remount.Number(3);
        const ulong readOnly = MS_REMOUNT | MS_BIND | MS_RDONLY;
        if ((flags & readOnly) == readOnly) return _readOnly.GetValueOrDefault(atDescriptor);
        return _propagation.TryGetValue(atDescriptor, out (ulong Bit, ulong Propagation) duty) && (flags & ~MS_REC) == duty.Propagation ? duty.Bit : 0;
    }

    private static bool MustBeReadOnly(PlanInputs inputs, LaunchStep step)
    {
        string path = step.Text(1)!;
        if (path == "/proc" || path.StartsWith("/dev/", StringComparison.Ordinal)) return false;
        if (step.Purpose.StartsWith("lay a private layer", StringComparison.Ordinal)) return false; // nothing beneath one is ever written
        return inputs.Spec.Root is not DirectoryRoot root || path == "/sys" || root.Access == RootAccess.ReadOnly;
    }

    private static ulong Flag(MountPropagation propagation) => propagation switch
    {
        MountPropagation.Private => MS_PRIVATE,
        MountPropagation.Slave => MS_SLAVE,
        MountPropagation.Shared => MS_SHARED,
        _ => MS_UNBINDABLE,
    };
}
