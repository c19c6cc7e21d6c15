using static Isolation.Linux.Abi;
using static Isolation.Linux.SystemCall;

namespace Isolation.Launch;

/// <summary>The container's root: made, sealed, and made the root of the process.</summary>
internal static class RootSteps
{
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
            case DirectoryRoot root when NeedsLayer(inputs):
                MakeScratch(mounts, root.LayerSize, "/");
                LayeredDirectory(mounts, root, id);
                break;
            case DirectoryRoot root:
                // The copy is taken first, so that the scratch file system can stand where the directory is: nothing
                // needs that path any more.
                mounts.Writer.For($"take the root directory '{root.Path}'");
                mounts.Root = mounts.CloneOfHost(root.Path, recursive: true);
                mounts.SetAttributes(mounts.Root, RootAttributes(root.Access == RootAccess.ReadOnly), recursive: true, MS_PRIVATE);
                MakeScratch(mounts, ScratchSize, IsNeeded(root.Path) || inputs.RootIsLink ? "/" : root.Path);
                mounts.Writer.For($"take the root directory '{root.Path}'");
                mounts.AttachToOldRoot(mounts.Root);
                mounts.Remount(mounts.Root, RootAttributes(readOnly: false), root.Path);
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
    internal static bool NeedsLayer(PlanInputs inputs) => inputs.Spec.Root is DirectoryRoot { Access: var access }
        && (access == RootAccess.Layered || (access == RootAccess.ReadOnly && !inputs.MissingTargets.IsEmpty));

    /// <summary>Makes the root read-only where that was asked for and had to wait for its mount points.</summary>
    internal static void Seal(MountWriter mounts)
    {
        if (mounts.Inputs.Spec.Root is not DirectoryRoot { Access: RootAccess.ReadOnly }) return;
        bool layered = NeedsLayer(mounts.Inputs);
        if (!layered && mounts.Inputs.Host.HasMountSetAttr) return;
        mounts.Writer.For("make the root read-only");
        mounts.SetAttributes(mounts.Root, RootAttributes(readOnly: true), recursive: false);
        mounts.Remount(mounts.Root, RootAttributes(readOnly: true), layered ? null : ((DirectoryRoot)mounts.Inputs.Spec.Root!).Path);
    }

    /// <summary>
    /// pivot_root(2) with both operands the new root stacks the old one on top of it; detaching what is on top leaves
    /// the new one alone. Nothing of the host's files can be reached from here on.
    /// </summary>
    internal static void Pivot(MountWriter mounts)
    {
        PlanWriter writer = mounts.Writer;
        writer.For("make the new root the root");
        writer.Call(fchdir, mounts.Root);
        writer.Call(pivot_root, ".", ".");
        writer.For("detach the old root");
        // One call takes the topmost mount at a place: first what was stacked on the old root, then the old root itself.
        // Not one call more: it would take the new root.
        for (int i = 0; i < mounts.MountsOnOldRoot; i++) writer.Call(umount2, ".", Operand.Named(MNT_DETACH, "MNT_DETACH"));
        writer.For($"enter the working directory '{mounts.Inputs.Spec.WorkingDirectory}'");
        // Resolved as a path inside the root and entered by descriptor: /proc/self/fd/N is refused (CVE-2024-21626).
        Slot directory = mounts.OpenInRoot(mounts.Inputs.Spec.WorkingDirectory.Trim('/'), flags: mounts.Inputs.Host.Abi.O_DIRECTORY);
        writer.Call(fchdir, directory);
    }

    // Device files anywhere but in /dev are none of the container's business: without a user namespace and before
    // control groups say more, this is what keeps a made or shipped device file shut.
    private static MountAttributes RootAttributes(bool readOnly) => MountAttributes.NoDevices.With(readOnly, MOUNT_ATTR_RDONLY);

    private static void LayeredDirectory(MountWriter mounts, DirectoryRoot root, Slot id)
    {
        PlanWriter writer = mounts.Writer;
        writer.For($"lay a private layer over the root directory '{root.Path}'");
        OverlaySteps.MakeLayer(mounts, "root");
        EtcSteps.WriteIntoLayer(mounts, "root.upper/etc", id);
        writer.For($"lay a private layer over the root directory '{root.Path}'");
        mounts.Root = OverlaySteps.Mount(mounts, root.Path, "root", onError: null);
        mounts.AttachToOldRoot(mounts.Root);
    }
}
