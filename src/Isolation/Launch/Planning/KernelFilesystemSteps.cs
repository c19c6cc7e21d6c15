using Isolation.Linux;
using static Isolation.Linux.Abi;
using static Isolation.Linux.SystemCall;

namespace Isolation.Launch;

/// <summary><c>/proc</c> and <c>/sys</c>.</summary>
internal static class KernelFilesystemSteps
{
    internal static void Write(MountWriter mounts)
    {
        if (!FilesystemPlanner.IsOverridden(mounts.Inputs, "proc")) Proc(mounts);
        if (!FilesystemPlanner.IsOverridden(mounts.Inputs, "sys")) Sys(mounts);
    }

    private static void Proc(MountWriter mounts)
    {
        ContainerSpec spec = mounts.Inputs.Spec;
        if (spec.Proc == ProcMount.None) return;
        bool isPrivate = spec.Proc == ProcMount.Private
            || (spec.Proc == ProcMount.Automatic && !spec.Namespaces.IsHost(NamespaceKind.Pid));
        if (isPrivate && spec.ProcOptions != new ProcOptions())
        {
            // Asked for, so nothing else will do.
            mounts.Writer.For("mount the private /proc");
            List<(string, string)> options = [];
            if (spec.ProcOptions.Hidden != HiddenProcesses.None) options.Add(("hidepid", MountWriter.Number((int)spec.ProcOptions.Hidden)));
            if (spec.ProcOptions.ProcessesOnly) options.Add(("subset", "pid"));
            Slot target = mounts.OpenInRoot("proc");
            mounts.AttachTo(mounts.NewFilesystem("proc", MountAttributes.Kernel, [.. options]), target);
        }
        else if (isPrivate)
        {
            mounts.Writer.For("mount the private /proc");
            FreshOrHosts(mounts, "proc", MountAttributes.Kernel,
                "the host's /proc is bound, because the kernel allows a new procfs only where the host's is fully visible");
        }
        else
        {
            mounts.Writer.For("bind the host's /proc");
            mounts.Attach(mounts.CloneOfHost("/proc", recursive: true), "proc");
        }
    }

    // sysfs shows the devices of a network namespace, and mounts only where that namespace is owned by this user namespace.
    private static void Sys(MountWriter mounts)
    {
        NamespaceSet namespaces = mounts.Inputs.Spec.Namespaces;
        MountAttributes attributes = mounts.Inputs.Spec.Privileged ? MountAttributes.Kernel : MountAttributes.Kernel.ReadOnly;
        bool fresh = namespaces.IsNew(NamespaceKind.Network) || namespaces.IsHost(NamespaceKind.User);
        if (fresh)
        {
            mounts.Writer.For("mount the private /sys");
            FreshOrHosts(mounts, "sysfs", attributes,
                "the host's /sys is bound read-only, because the kernel refuses a new sysfs here");
            return;
        }

        mounts.Writer.For("bind the host's /sys read-only");
        Slot mount = mounts.CloneOfHost("/sys", recursive: true);
        mounts.SetAttributes(mount, attributes, recursive: true, MS_PRIVATE);
        mounts.Attach(mount, "sys");
        mounts.Remount(mount, attributes, "/sys");
    }

    private static void FreshOrHosts(MountWriter mounts, string type, MountAttributes attributes, string note)
    {
        string path = type == "proc" ? "proc" : "sys";
        Label refused = new($"{type} refused"), attached = new($"/{path} attached");
        Slot target = mounts.OpenInRoot(path);
        Slot mount = mounts.NewFilesystem(type, attributes, [], refused);
        mounts.AttachTo(mount, target);
        mounts.Writer.Mark(attached);
        mounts.Writer.Later(() =>
        {
            mounts.Writer.For($"bind the host's /{path}");
            mounts.Writer.Mark(refused);
            mounts.Writer.Call(open_tree, Operand.CurrentDirectory, "/" + path, MountWriter.CloneTree(recursive: true)).Into(mount);
            mounts.SetAttributes(mount, attributes, recursive: true, MS_PRIVATE);
            mounts.AttachTo(mount, target);
            mounts.Remount(mount, attributes, "/" + path);
            mounts.Notes.Send("/" + path, note, attached);
        });
    }
}
