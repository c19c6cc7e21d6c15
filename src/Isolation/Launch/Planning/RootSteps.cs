using System.Collections.Immutable;
using static Isolation.Linux.Abi;
using static Isolation.Linux.SystemCall;

namespace Isolation.Launch;

/// <summary>The container's root: made, sealed, and made the root of the process.</summary>
internal static class RootSteps
{
    /// <summary>How the purpose of the steps begins that mount an overlay.</summary>
    internal const string LayerPurpose = "lay a private layer";

    private const long ScratchSize = 1 << 20;

    internal static void Write(MountWriter mounts, Slot id)
    {
        PlanInputs inputs = mounts.Inputs;
        switch (inputs.Spec.Root)
        {
            case HostRoot:
                MakeScratch(mounts, inputs.Spec.Root.LayerSize, ScratchPlaceOnHost(inputs));
                HostRootSteps.Write(mounts, id);
                break;
            case LayersRoot root when IsMountedByHost(inputs):
                TakeMounted(mounts, root, inputs.Way!);
                break;
            case LayersRoot root:
                MakeScratch(mounts, inputs.Spec.LayerDirectory is null ? root.LayerSize : ScratchSize, "/");
                Layered(mounts, root.Layers, root.Access, $"{LayerPurpose} over the {root.Layers.Length} layers of the image", id);
                break;
            case DirectoryRoot root when NeedsLayer(inputs):
                MakeScratch(mounts, root.LayerSize, "/");
                mounts.Writer.For($"take the root directory '{root.Path}'");
                Layered(mounts, [mounts.Passed(MappedBinds.Root) is { } mapped ? OverlaySteps.Place(mounts, mapped, "lower") : root.Path], root.Access, $"{LayerPurpose} over the root directory '{root.Path}'", id);
                break;
            case DirectoryRoot root:
                // The copy is taken first, so that the scratch file system can stand where the directory is: nothing
                // needs that path any more.
                mounts.Writer.For($"take the root directory '{root.Path}'");
                mounts.Root = mounts.Passed(MappedBinds.Root) ?? mounts.CloneOfHost(root.Path, recursive: true);
                mounts.SetAttributes(mounts.Root, RootAttributes(inputs, root.Access == RootAccess.ReadOnly && inputs.Spec.Layout is null), recursive: true, MS_PRIVATE);
                MakeScratch(mounts, ScratchSize, IsNeeded(root.Path) || inputs.RootIsLink ? "/" : root.Path);
                mounts.Writer.For($"take the root directory '{root.Path}'");

                // Hooks that are run in this mount namespace see the host's root, and the container's where the bundle has it.
                mounts.AttachToOldRoot(mounts.Root, place: inputs.ShowsRoot ? root.Path : "/");
                mounts.Remount(mounts.Root, RootAttributes(inputs, readOnly: false), root.Path);
                break;
        }

        foreach (string target in inputs.MissingTargets.Order(StringComparer.Ordinal))
        {
            if (FilesystemPlanner.IsOverridden(inputs, target)) continue; // made where it is mounted, a file for a file
            mounts.Writer.For($"make the mount point '/{target}'");
            mounts.CreateInRoot(target, directory: !EtcSteps.IsFile(target));
        }
    }

    private static void MakeScratch(MountWriter mounts, long size, string place)
    {
        mounts.Writer.For("make the scratch file system for layers, devices and generated files");
        mounts.Scratch = mounts.NewTmpfs(default, size, 0x1ED);
        mounts.AttachScratch(place);
        mounts.Writer.Call(mkdirat, mounts.Scratch, "empty", Operand.Octal(0x1ED));

        // Paths of layers are relative to it: short, and no link of the host in their way.
        mounts.Writer.Call(fchdir, mounts.Scratch);
    }

    // On a directory rather than on "/" it goes with the old root in one call, and that call is dear: it waits for every
    // processor. A directory that the container has of its own is not looked at on the host any more.
    private static string ScratchPlaceOnHost(PlanInputs inputs) =>
        inputs.Host.RootEntries.Any(entry => entry is { Name: "run", Kind: HostEntryKind.Directory or HostEntryKind.EmptyDirectory }) ? "/run" : "/";

    // What is bound from the host by its path until the end.
    private static bool IsNeeded(string path) => path is "/" or "/dev" or "/proc" or "/sys"
        || path.StartsWith("/dev/", StringComparison.Ordinal) || path.StartsWith("/proc/", StringComparison.Ordinal) || path.StartsWith("/sys/", StringComparison.Ordinal);

    /// <summary>A read-only directory that lacks a mount point gets it in a layer, which is read-only in its turn when it is complete.</summary>
    internal static bool NeedsLayer(PlanInputs inputs) => (inputs.Spec.Root is LayersRoot && !IsMountedByHost(inputs)) || (inputs.Spec.Root is DirectoryRoot { Access: var access }
        && (access == RootAccess.Layered || (access == RootAccess.ReadOnly && !inputs.MissingTargets.IsEmpty)));

    /// <summary>Makes the root read-only where that was asked for and had to wait for its mount points.</summary>
    internal static void Seal(MountWriter mounts)
    {
        PlanInputs inputs = mounts.Inputs;
        if (inputs.Spec.Root is not { IsReadOnly: true } root) return;
        bool layered = NeedsLayer(inputs);
        if (root is DirectoryRoot && !layered && inputs.Host.HasMountSetAttr && inputs.Spec.Layout is null) return;
        mounts.Writer.For("make the root read-only");
        if (root is HostRoot)
        {
            foreach (Slot part in mounts.Unsealed)
            {
                mounts.SetAttributes(part, RootAttributes(inputs, readOnly: true), recursive: false);
                mounts.Remount(part, RootAttributes(inputs, readOnly: true));
            }

            return;
        }

        mounts.SetAttributes(mounts.Root, RootAttributes(inputs, readOnly: true), recursive: false);
        if (root is LayersRoot && inputs.Way is { } way) mounts.Remount(mounts.Root, new(RootAttributes(inputs, readOnly: true).Bits | way.LockedAttributes), way.LockedAttributes == 0 ? way.Path : null);
        else mounts.Remount(mounts.Root, RootAttributes(inputs, readOnly: true), layered ? null : ((DirectoryRoot)root).Path);
    }

    /// <summary>
    /// pivot_root(2) with both operands the new root stacks the old one on top of it; detaching what is on top leaves
    /// the new one alone. Nothing of the host's files can be reached from here on.
    /// </summary>
    internal static void Pivot(MountWriter mounts)
    {
        PlanWriter writer = mounts.Writer;
        if (mounts.Inputs.Spec.Layout is { NoPivot: true }) MoveOverOldRoot(mounts);
        else
        {
            writer.For("make the new root the root");
            writer.Call(fchdir, mounts.Root);
            writer.Call(pivot_root, ".", ".");
            writer.For("detach the old root");
            // One call takes the topmost mount at a place: first what was stacked on the old root, then the old root itself.
            // Not one call more: it would take the new root.
            for (int i = 0; i < mounts.MountsOnOldRoot; i++) writer.Call(umount2, ".", Operand.Named(MNT_DETACH, "MNT_DETACH"));
        }

        writer.For(EnterPurpose(mounts.Inputs.Spec));
        // Resolved as a path inside the root and entered by descriptor: /proc/self/fd/N is refused (CVE-2024-21626).
        Slot directory = mounts.OpenInRoot(mounts.Inputs.Spec.WorkingDirectory.Trim('/'), flags: mounts.Inputs.Host.Abi.O_DIRECTORY);
        writer.Call(fchdir, directory);
    }

    internal static string EnterPurpose(ContainerSpec spec) => $"enter the working directory '{spec.WorkingDirectory}'";

    /// <summary>
    /// Where pivot_root(2) cannot be had, on the ramfs that a machine boots from: the root is covered, and what the kernel shows of the host in it is detached
    /// first, so that whoever gets out finds no writable /proc.
    /// </summary>
    private static void MoveOverOldRoot(MountWriter mounts)
    {
        PlanWriter writer = mounts.Writer;
        writer.For("detach what shows the host");
        foreach (string path in (string[])["/proc", "/sys"]) writer.Call(umount2, path, Operand.Named(MNT_DETACH, "MNT_DETACH")).IgnoreErrors();
        writer.For("make the new root the root");
        writer.Call(fchdir, mounts.Root);
        if (mounts.Inputs.ShowsRoot) mounts.AttachToOldRoot(mounts.Root);
        writer.Call(chroot, ".");
    }

    /// <summary>
    /// Whether the files of /etc are bound over those of the root: where no layer is made anew for them. In one that was written
    /// before, <c>etc</c> may be a link that leads to the host's.
    /// </summary>
    internal static bool BindsEtcFiles(PlanInputs inputs) =>
        (inputs.Spec.Root is DirectoryRoot && !NeedsLayer(inputs)) || (inputs.Spec.Root is LayersRoot && (IsMountedByHost(inputs) || inputs.Spec.LayerDirectory is not null));

    private static bool IsMountedByHost(PlanInputs inputs) => inputs.Way is { Place: not RootPlace.Plan };

    /// <summary>The union that the host has mounted, writable until it is sealed.</summary>
    private static void TakeMounted(MountWriter mounts, LayersRoot root, RootWay way)
    {
        string purpose = $"take the union of the {root.Layers.Length} layers";
        PlanInputs inputs = mounts.Inputs;
        PlanWriter writer = mounts.Writer;
        writer.For(purpose);
        if (way.Place == RootPlace.Detached)
        {
            mounts.Root = new("root mount");
            writer.Call(openat, mounts.Inputs.Passed.Root, ".", Operand.Named(O_PATH | O_CLOEXEC, "O_PATH|O_CLOEXEC")).Into(mounts.Root);
            MakeScratch(mounts, ScratchSize, "/");
        }
        else
        {
            // In a directory of the container's own nothing is mounted beneath.
            mounts.Root = mounts.CloneOfHost(way.Path!, recursive: false);
            mounts.SetAttributes(mounts.Root, RootAttributes(inputs, readOnly: false), recursive: false, MS_PRIVATE);
            MakeScratch(mounts, ScratchSize, "/");
        }

        writer.For(purpose);
        mounts.AttachToOldRoot(mounts.Root);
        if (way.Place == RootPlace.Directory) mounts.Remount(mounts.Root, new(RootAttributes(inputs, readOnly: false).Bits | way.LockedAttributes), way.LockedAttributes == 0 ? way.Path : null);
    }

    // Device files anywhere but in /dev are none of the container's business: without a user namespace and before
    // control groups say more, this is what keeps a made or shipped device file shut.
    private static MountAttributes RootAttributes(PlanInputs inputs, bool readOnly) => (inputs.Spec.Layout is null ? MountAttributes.NoDevices : default).With(readOnly, MOUNT_ATTR_RDONLY);

    private static void Layered(MountWriter mounts, ImmutableArray<string> lowers, RootAccess access, string purpose, Slot id)
    {
        const string Layer = "root";
        PlanWriter writer = mounts.Writer;
        writer.For(purpose);
        OverlaySteps.MakeLayer(mounts, Layer, lowers[^1]);
        if (!BindsEtcFiles(mounts.Inputs)) EtcSteps.WriteIntoLayer(mounts, OverlaySteps.Upper(mounts, Layer) + "/etc", id);
        writer.For(purpose);
        mounts.Root = OverlaySteps.Mount(mounts, lowers, Layer, onError: null);
        mounts.AttachToOldRoot(mounts.Root);
        if (access == RootAccess.Layered) OverlaySteps.Expose(mounts, Layer);
    }
}
