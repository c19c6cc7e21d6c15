using Isolation.Launch;
using Isolation.Linux;
using static Isolation.Linux.Abi;
using static Isolation.Linux.SystemCall;

namespace Isolation.Tests;

/// <summary>
/// What must still be done to copies of the host's mounts before the program starts, a bit each: that some become
/// read-only with all beneath them, and that binds have the propagation that was asked for.
/// </summary>
internal sealed class MountDuties
{
    private const ulong RemountReadOnly = MS_REMOUNT | MS_BIND | MS_RDONLY;

    private readonly PlanInputs _inputs;
    private readonly Dictionary<Slot, (UInt128 Bit, bool Recursive)> _readOnly = [];
    private readonly Dictionary<Slot, (UInt128 Bit, ulong Propagation)> _propagation = [];
    private readonly Dictionary<Slot, (UInt128 Bit, HostMount Mount)> _beneath = [];
    private readonly Dictionary<LaunchStep, UInt128> _arising = [];
    private int _bits;

    internal MountDuties(PlanInputs inputs, LaunchPlan plan)
    {
        _inputs = inputs;
        _bits = 0;
        Queue<BindMount> binds = new(inputs.Spec.Mounts.OfType<BindMount>());
        foreach (LaunchStep step in plan.Steps.Where(step => (step.Call == open_tree && step.IsCurrentDirectory(0)) || IsPassed(step)))
        {
            // Binds are opened first, in their order.
            bool isBind = binds.TryDequeue(out BindMount? bind);
            UInt128 arising = 0;
            if (isBind) arising |= (_propagation[step.Result!] = (NewBit(), Flag(bind!.Options.Propagation))).Bit;
            if (isBind ? bind!.Options.ReadOnly : MustBeReadOnly(inputs, step)) arising |= ReadOnly(plan, step);
            _arising.Add(step, arising);
        }
    }

    /// <summary>The host has made it, seen through the identity map.</summary>
    internal static bool IsPassed(LaunchStep step) => step.Call == fcntl && step.Number(1) == F_DUPFD_CLOEXEC && step.Purpose.Contains("take the root", StringComparison.Ordinal) | step.Purpose.StartsWith("open the source", StringComparison.Ordinal);

    internal UInt128 ArisingFrom(LaunchStep openTree) => _arising.GetValueOrDefault(openTree);

    internal UInt128 DoneBySetAttr(LaunchStep setAttr)
    {
        if (setAttr.SlotOf(0) is not { } slot) return 0;
        UInt128 done = 0;
        bool reaches = _readOnly.TryGetValue(slot, out (UInt128 Bit, bool Recursive) readOnly) && (!readOnly.Recursive || (setAttr.Number(2) & AT_RECURSIVE) != 0);
        if (reaches && (setAttr.Word(3, 0) & MOUNT_ATTR_RDONLY) != 0) done |= readOnly.Bit;
        if (_propagation.TryGetValue(slot, out (UInt128 Bit, ulong Propagation) duty) && setAttr.Word(3, 2) == duty.Propagation) done |= duty.Bit;
        return done;
    }

    internal UInt128 DoneByMount(LaunchStep remount, Slot? atDescriptor)
    {
        if (atDescriptor is null) return 0;
        ulong flags = (ulong)remount.Number(3);
        if ((flags & RemountReadOnly) == RemountReadOnly)
        {
            if (_beneath.TryGetValue(atDescriptor, out (UInt128 Bit, HostMount Mount) beneath) && (flags & beneath.Mount.Attributes) == beneath.Mount.Attributes) return beneath.Bit;
            return _readOnly.GetValueOrDefault(atDescriptor).Bit;
        }

        return _propagation.TryGetValue(atDescriptor, out (UInt128 Bit, ulong Propagation) duty) && (flags & ~MS_REC) == duty.Propagation ? duty.Bit : 0;
    }

    /// <summary>A mount beneath that others have detached since it was listed: its directory is gone, or is the root of no mount.</summary>
    internal UInt128 GoneBy(LaunchStep step, Slot? atDescriptor) => step.Call switch
    {
        openat when step.Expected == -(int)Errno.ENOENT && step.Result is { } place => _beneath.GetValueOrDefault(place).Bit,
        mount when step.Expected == -(int)Errno.EINVAL && atDescriptor is not null => _beneath.GetValueOrDefault(atDescriptor).Bit,
        _ => 0,
    };

    /// <summary>One duty for the mount itself; before mount_setattr one more for each mount beneath that comes along.</summary>
    private UInt128 ReadOnly(LaunchPlan plan, LaunchStep openTree)
    {
        Slot slot = openTree.Result!;
        bool recursive = openTree.Call == open_tree ? (openTree.Number(2) & AT_RECURSIVE) != 0 : _inputs.MappedBinds[(int)openTree.Number(0) - _inputs.Passed.FirstBind].Options.Recursive;
        if (!_readOnly.ContainsKey(slot)) _readOnly.Add(slot, (NewBit(), recursive));
        UInt128 arising = _readOnly[slot].Bit;
        if (_inputs.Host.HasMountSetAttr || !recursive) return arising;
        string source = openTree.Text(1)!;
        foreach (HostMount mount in _inputs.Mounts.Where(mount => mount.Path != source && mount.Path.StartsWith(source == "/" ? "/" : source + "/", StringComparison.Ordinal)))
        {
            UInt128 bit = NewBit();
            arising |= bit;
            foreach (LaunchStep open in plan.Steps.Where(step => step.Call == openat && step.SlotOf(0) == slot && (step.Number(2) & O_PATH) != 0 && "/" + step.Text(1) == mount.Path[(source == "/" ? 0 : source.Length)..]))
                _beneath[open.Result!] = (bit, mount);
        }

        return arising;
    }

    private UInt128 NewBit()
    {
        Assert.InRange(_bits, 0, 127);
        return UInt128.One << _bits++;
    }

    private static bool MustBeReadOnly(PlanInputs inputs, LaunchStep step)
    {
        if (IsPassed(step)) return inputs.Spec.Root is DirectoryRoot { Access: RootAccess.ReadOnly } && !RootSteps.NeedsLayer(inputs);
        string path = step.Text(1)!;
        if (path == "/proc" || path.StartsWith("/dev/", StringComparison.Ordinal)) return false;
        if (step.Purpose.StartsWith("lay a private layer", StringComparison.Ordinal)) return false; // nothing beneath one is ever written
        if (step.Purpose.StartsWith("take the union", StringComparison.Ordinal)) return inputs.Spec.Root is { IsReadOnly: true };
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
