using Isolation.Launch;
using Isolation.Linux;
using static Isolation.Linux.Abi;
using static Isolation.Linux.SystemCall;

namespace Isolation.Tests;

/// <summary>
/// Where the descriptors of a plan come from, and so whether a place that a mount or a file goes to is surely inside the
/// container's root, whatever links the root holds.
/// </summary>
internal sealed class MountTargets
{
    private readonly PlanInputs _inputs;
    private readonly ILookup<Slot, LaunchStep> _writers;

    internal MountTargets(PlanInputs inputs, LaunchPlan plan)
    {
        _inputs = inputs;
        _writers = plan.Steps.Where(step => step.Result is not null).ToLookup(step => step.Result!);
        int pivot = plan.Steps.ToList().FindIndex(step => step.Call == pivot_root);
        if (pivot > 0) Root = plan.Steps[pivot - 1].SlotOf(0);
    }

    /// <summary>The descriptor of the new root: the directory that is entered right before it is made the root.</summary>
    internal Slot? Root { get; }

    internal bool IsInside(LaunchStep move)
    {
        if (move.StacksOnRoot() || PutsScratch(move)) return true;

        if (move.IsCurrentDirectory(2)) return PutsRootAtItsDirectory(move);
        if (move.SlotOf(2) is not { } directory || move.Text(3) is not { } name) return false;
        if (name.Length == 0) return (move.Number(4) & MOVE_MOUNT_T_EMPTY_PATH) != 0 && IsOpenedInside(directory, pivoted: false);

        // A root made of the host's own files is not a stranger's; its mounts are put where the host has them.
        if (directory == Root) return _inputs.Spec.Root is HostRoot;

        // One name that is not followed leads nowhere else than where its directory is.
        const long FollowsLink = 0x10; // MOVE_MOUNT_T_SYMLINKS
        return IsOneName(name) && (IsOfThePlan(directory) || ((move.Number(4) & FollowsLink) == 0 && IsOpenedInside(directory, pivoted: false)));
    }

    internal bool IsMadeInside(LaunchStep step)
    {
        (int directoryAt, int nameAt) = step.Call == symlinkat ? (1, 2) : (0, 1);
        if (step.SlotOf(directoryAt) is not { } directory || step.Text(nameAt) is not { } name) return false;
        if (IsScratch(directory)) return name[0] != '/' && !name.Split('/').Contains("..");
        return IsOneName(name) && (directory == Root || IsOpenedInside(directory, pivoted: false) || IsOfThePlan(directory));
    }

    /// <param name="open">openat2 or openat.</param>
    /// <param name="pivoted">The root has been changed: ".." stops at it.</param>
    internal bool IsOpenedInside(LaunchStep open, bool pivoted)
    {
        if (open.SlotOf(0) is not { } directory || open.Text(1) is not { } name) return false;
        if (open.Call == openat2)
            return directory == Root && (open.Word(2, 2) & RESOLVE_IN_ROOT) != 0 && (open.Word(2, 2) & RESOLVE_NO_MAGICLINKS) != 0;
        bool follows = (open.Number(2) & _inputs.Host.Abi.O_NOFOLLOW) == 0;
        return (directory == Root || IsOpenedInside(directory, pivoted)) && (name is "." || (!follows && (IsOneName(name) || (pivoted && name is ".."))));
    }

    /// <summary>A directory that no stranger has put a link into.</summary>
    internal bool IsOwn(Slot? directory) => directory is not null && (IsScratch(directory) || IsOfThePlan(directory));

    /// <summary>Until the root is changed, whoever joins the mount namespace sees it where its directory is.</summary>
    internal bool PutsRootAtItsDirectory(LaunchStep move) => move.IsCurrentDirectory(2) && _inputs is { ShowsRoot: true, Spec.Root: DirectoryRoot root } && move.Text(3) == root.Path;

    /// <summary>The file system that holds layers and generated files; it stands in the old root.</summary>
    internal bool PutsScratch(LaunchStep move) => move.IsCurrentDirectory(2) && move.SlotOf(0) is { } mount && IsScratch(mount);

    /// <summary>Whether a directory is where a copy of the whole tree has taken the scratch file system along to.</summary>
    internal bool IsPlaceOfScratch(Slot? directory, string? place) => directory is not null && (place == "/"
        ? directory == Root
        : _writers[directory].Any() && _writers[directory].All(step => step.Call == openat && step.SlotOf(0) == Root && "/" + step.Text(1) == place));

    private bool IsOpenedInside(Slot slot, bool pivoted) =>
        _writers[slot].Any() && _writers[slot].All(step => step.Call is openat or openat2 && IsOpenedInside(step, pivoted));

    /// <summary>A file system that this plan has made, or a directory of one, so that nobody else has put links into it.</summary>
    private bool IsOfThePlan(Slot slot) => slot != Root && _writers[slot].Any()
        && _writers[slot].All(step => step.Call == fsmount || (step.Call == open_tree && step.SlotOf(0) is { } whole && IsScratch(whole)));

    private bool IsScratch(Slot slot) => _writers[slot].Count() == 1 && _writers[slot].Single() is { Call: fsmount } made && made.Purpose.StartsWith("make the scratch", StringComparison.Ordinal);

    private static bool IsOneName(string name) => name.Length > 0 && name is not ("." or "..") && !name.Contains('/');
}
