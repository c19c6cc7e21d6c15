using static Isolation.Linux.Abi;
using static Isolation.Linux.SystemCall;

namespace Isolation.Launch;

/// <summary>
/// Builds the container's tree of mounts and makes it the root. Everything is attached to descriptors of the new root
/// while the old root is still there, and the old root is gone before the program starts.
/// </summary>
internal static class FilesystemPlanner
{
    internal static void Write(PlanWriter writer, PlanNotes notes, PlanInputs inputs, Slot id)
    {
        MountWriter mounts = new(writer, notes, inputs);

        // Sources of binds first: their propagation is the host's until the next step cuts it.
        List<(BindMount Mount, Slot Source)> binds = BindSteps.OpenSources(mounts);

        Dictionary<OciMount, Slot> sources = OciFilesystemSteps.OpenSources(mounts);

        // From here on nothing that happens to a mount here is seen outside, nor the other way round.
        writer.For("cut mounts off from the host's");
        writer.Call(mount, Operand.Null, "/", Operand.Null, Operand.Named(MS_REC | MS_PRIVATE, "MS_REC|MS_PRIVATE"), Operand.Null);

        RootSteps.Write(mounts, id);
        if (inputs.Spec.Layout is { } layout)
        {
            OciFilesystemSteps.Attach(mounts, sources);
            OciFilesystemSteps.Devices(mounts);
            OciFilesystemSteps.WorkingDirectory(mounts);
            HidingSteps.Write(mounts);
            StageSteps.Wait(writer, inputs, LaunchStage.Mounted);
            RootSteps.Seal(mounts);
            if (layout.Propagation != 0) OciFilesystemSteps.Set(mounts, mounts.Root, 0, 0, layout.Propagation, layout.PropagationIsRecursive, null);
            RootSteps.Pivot(mounts);
            return;
        }

        KernelFilesystemSteps.Write(mounts);
        DeviceSteps.Write(mounts);
        PrivateDirectorySteps.Write(mounts);
        if (RootSteps.BindsEtcFiles(inputs)) EtcSteps.BindFiles(mounts, id);
        BindSteps.Attach(mounts, binds);
        HidingSteps.Write(mounts);
        RootSteps.Seal(mounts);
        RootSteps.Pivot(mounts);
    }

    /// <summary>Whether a mount of the caller's own stands at a path (without the leading slash), instead of what every container has there.</summary>
    internal static bool IsOverridden(PlanInputs inputs, string path) =>
        inputs.Spec.Mounts.Any(mount => mount.Target.AsSpan(1).SequenceEqual(path));
}
