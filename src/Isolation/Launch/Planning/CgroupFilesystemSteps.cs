using Isolation.Linux;
using static Isolation.Linux.Abi;
using static Isolation.Linux.SystemCall;

namespace Isolation.Launch;

/// <summary>The file systems of control groups in a container: of v2 one, of v1 a directory with one for each hierarchy, as the host has them.</summary>
internal static class CgroupFilesystemSteps
{
    internal static void Mount(MountWriter mounts, OciMount mount, string target)
    {
        MountAttributes attributes = new(mount.Options.Set);
        CgroupHierarchies hierarchies = mounts.Inputs.Host.Hierarchies;
        if (hierarchies.V1.IsEmpty)
        {
            Place(mounts, "cgroup2", [], "/sys/fs/cgroup", mount, mounts.OpenInRoot(target), attributes);
            return;
        }

        Slot directory = mounts.NewFilesystem("tmpfs", MountAttributes.Kernel, [("mode", "0755"), ("size", "64k")]);
        mounts.Attach(directory, target);
        foreach (CgroupHierarchy hierarchy in hierarchies.V1)
        {
            mounts.Writer.Call(mkdirat, directory, hierarchy.Name, Operand.Octal(0x1ED));
            Slot place = mounts.Writer.CallInto(hierarchy.Name, openat, directory, hierarchy.Name, Operand.Named(O_PATH | O_CLOEXEC, "O_PATH|O_CLOEXEC"));
            Place(mounts, "cgroup", [.. hierarchy.Options], hierarchy.Path, mount, place, attributes);
            foreach (string controller in hierarchy.Controllers.Where(name => name != hierarchy.Name)) mounts.Writer.Call(symlinkat, hierarchy.Name, directory, controller).Tolerate(Errno.EEXIST);
        }

        if (hierarchies.UnifiedPath is { } unified)
        {
            mounts.Writer.Call(mkdirat, directory, "unified", Operand.Octal(0x1ED));
            Slot place = mounts.Writer.CallInto("unified", openat, directory, "unified", Operand.Named(O_PATH | O_CLOEXEC, "O_PATH|O_CLOEXEC"));
            Place(mounts, "cgroup2", [], unified, mount, place, attributes);
        }

        if ((mount.Options.Set & MOUNT_ATTR_RDONLY) != 0) OciFilesystemSteps.Set(mounts, directory, MOUNT_ATTR_RDONLY, 0, 0, recursive: false, null);
    }

    // With a namespace of its own the container sees its group as the root of a new mount. Without, a bind of the group would show the path on the host to be another
    // than the program's, and the whole hierarchy is shown, as the program's own path has it.
    private static void Place(MountWriter mounts, string type, (string, string)[] options, string hostPath, OciMount mount, Slot place, MountAttributes attributes)
    {
        Slot made;
        if (mounts.Inputs.Spec.Namespaces.IsNew(NamespaceKind.Cgroup))
        {
            Label refused = new($"{type} {hostPath} refused"), done = new($"{type} {hostPath} attached");
            made = mounts.NewFilesystem(type, attributes, options, refused);
            mounts.AttachTo(made, place);
            mounts.Writer.Mark(done);
            mounts.Writer.Later(() =>
            {
                mounts.Writer.Mark(refused);
                mounts.Writer.Call(open_tree, Operand.CurrentDirectory, hostPath, MountWriter.CloneTree(recursive: true)).Into(made);
                OciFilesystemSteps.Set(mounts, made, attributes.Bits, 0, 0, recursive: true, mount);
                mounts.AttachTo(made, place).When(0, done);
            });
            return;
        }

        made = mounts.CloneOfHost(hostPath, recursive: false);
        OciFilesystemSteps.Set(mounts, made, attributes.Bits, 0, 0, recursive: false, mount);
        mounts.AttachTo(made, place);
    }
}
