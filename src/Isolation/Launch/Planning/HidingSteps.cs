using Isolation.Linux;
using static Isolation.Linux.Abi;
using static Isolation.Linux.SystemCall;

namespace Isolation.Launch;

/// <summary>Paths that the container must not read, or not write.</summary>
internal static class HidingSteps
{
    /// <summary>What of <c>/proc</c> and <c>/sys</c> tells too much about the host: the list of the OCI runtimes.</summary>
    internal static readonly string[] DefaultMasked =
    [
        "proc/acpi", "proc/asound", "proc/interrupts", "proc/kcore", "proc/keys", "proc/latency_stats", "proc/sched_debug",
        "proc/scsi", "proc/timer_list", "proc/timer_stats", "sys/devices/virtual/powercap", "sys/firmware",
    ];

    internal static readonly string[] DefaultReadOnly = ["proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger"];

    internal static void Write(MountWriter mounts)
    {
        ContainerSpec spec = mounts.Inputs.Spec;
        bool proc = spec.Proc != ProcMount.None && !FilesystemPlanner.IsOverridden(mounts.Inputs, "proc");
        bool sys = !FilesystemPlanner.IsOverridden(mounts.Inputs, "sys");
        bool Applies(string path) => spec.Layout is null && !spec.Nesting && !spec.Privileged && (path.StartsWith("proc/", StringComparison.Ordinal) ? proc : sys);

        foreach ((string path, bool isDirectory) in mounts.Inputs.Host.MaskedPaths)
            if (Applies(path)) Mask(mounts, path, isDirectory);
        foreach (string path in mounts.Inputs.Host.ReadOnlyPaths)
            if (Applies(path)) MakeReadOnly(mounts, path, MountAttributes.Kernel.ReadOnly);
        foreach (string path in spec.MaskedPaths) Mask(mounts, path.Trim('/'), isDirectory: null);
        foreach (string path in spec.ReadOnlyPaths) MakeReadOnly(mounts, path.Trim('/'), MountAttributes.NoDevices.ReadOnly);
    }

    /// <summary>A file is covered by the host's null device, a directory by an empty one. What is not there needs no mask.</summary>
    private static void Mask(MountWriter mounts, string path, bool? isDirectory)
    {
        PlanWriter writer = mounts.Writer;
        Label done = new($"/{path} masked");
        writer.For($"mask '/{path}'");
        Slot target = mounts.OpenInRoot(path, whenMissing: done);
        if (isDirectory == true)
        {
            CoverDirectory(mounts, target);
        }
        else
        {
            LaunchStep attach = mounts.AttachTo(mounts.CloneOfHost("/dev/null", recursive: false), target);
            if (isDirectory is null) WhenDirectory(mounts, attach, target, path, done);
        }

        writer.Mark(done);
    }

    private static void WhenDirectory(MountWriter mounts, LaunchStep attach, Slot target, string path, Label done)
    {
        Label directory = new($"/{path} is a directory");
        attach.When(-(int)Errno.EINVAL, directory); // move_mount(2) of a file onto a directory
        mounts.Writer.Later(() =>
        {
            mounts.Writer.For($"mask '/{path}'");
            mounts.Writer.Mark(directory);
            CoverDirectory(mounts, target).When(0, done);
        });
    }

    /// <summary>Returns the last step.</summary>
    private static LaunchStep CoverDirectory(MountWriter mounts, Slot target)
    {
        Slot empty = mounts.CloneOfScratch("empty");
        mounts.SetAttributes(empty, MountAttributes.Kernel.ReadOnly, recursive: false);
        LaunchStep attach = mounts.AttachTo(empty, target);
        return mounts.Remount(empty, MountAttributes.Kernel.ReadOnly) ?? attach;
    }

    private static void MakeReadOnly(MountWriter mounts, string path, MountAttributes attributes)
    {
        PlanWriter writer = mounts.Writer;
        Label done = new($"/{path} read-only");
        writer.For($"make '/{path}' read-only");
        Slot target = mounts.OpenInRoot(path, whenMissing: done);
        Slot copy = mounts.CloneOf(target, "/" + path, recursive: true);
        mounts.SetAttributes(copy, attributes, recursive: true);
        mounts.AttachTo(copy, target);
        mounts.Remount(copy, attributes);
        writer.Mark(done);
    }
}
