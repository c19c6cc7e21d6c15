using Isolation.Linux;
using static Isolation.Linux.Abi;
using static Isolation.Linux.SystemCall;

namespace Isolation.Launch;

/// <summary>The mounts of a configuration of the Open Container Initiative: those that it lists, in their order, and the devices that every container has.</summary>
internal static class OciFilesystemSteps
{
    private const int DeviceMode = 0x1B6; // 0666

    /// <summary>Detached copies of the sources of binds, while their propagation is the host's.</summary>
    internal static Dictionary<OciMount, Slot> OpenSources(MountWriter mounts)
    {
        Dictionary<OciMount, Slot> sources = new(ReferenceEqualityComparer.Instance as IEqualityComparer<OciMount>);
        foreach (OciMount bind in mounts.Inputs.Spec.Mounts.OfType<OciMount>().Where(mount => mount.IsBind))
        {
            mounts.Writer.For($"open the source '{bind.Source}' of the mount at '{bind.Target}'");
            Slot source = mounts.Passed(bind.Target) ?? mounts.CloneOfHost(bind.Source, bind.Options.IsRecursive);
            if (bind.Options.Propagation is MS_SLAVE or MS_SHARED) Set(mounts, source, 0, 0, bind.Options.Propagation, bind.Options.PropagationIsRecursive, bind);
            sources.Add(bind, source);
        }

        return sources;
    }

    internal static void Attach(MountWriter mounts, Dictionary<OciMount, Slot> sources)
    {
        foreach (OciMount mount in mounts.Inputs.Spec.Mounts.OfType<OciMount>())
        {
            mounts.Writer.For($"mount '{mount.Target}'");
            string target = mount.Target.Trim('/');
            if (target.Length == 0) continue;
            if (mount.IsBind)
            {
                mounts.CreateInRoot(target, directory: !mounts.Inputs.FileSources.Contains(mount.Source));
                Slot source = sources[mount];
                mounts.Attach(source, target);
                SetAll(mounts, source, mount);
                continue;
            }

            mounts.CreateInRoot(target, directory: true);
            if (mount.Type is "cgroup" or "cgroup2") CgroupFilesystemSteps.Mount(mounts, mount, target);
            else MountNew(mounts, mount, target);
        }
    }

    internal static void Devices(MountWriter mounts)
    {
        // A /dev of the host's has its devices.
        if (mounts.Inputs.Spec.Mounts.OfType<OciMount>().Any(mount => mount.IsBind && mount.Target == "/dev")) return;
        PlanWriter writer = mounts.Writer;
        writer.For("make the devices");
        mounts.CreateInRoot("dev", directory: true);
        Slot dev = mounts.OpenInRoot("dev", flags: mounts.Inputs.Host.Abi.O_DIRECTORY);
        OciLayout layout = mounts.Inputs.Spec.Layout!;
        foreach ((string name, int major, int minor) in DeviceSteps.Nodes)
            if (!layout.Devices.Any(device => device.Path == "/dev/" + name)) Node(mounts, new($"/dev/{name}", S_IFCHR, (uint)major, (uint)minor, DeviceMode, 0, 0), dev, name);
        foreach (OciDevice device in layout.Devices)
        {
            string path = device.Path.Trim('/'), directory = path[..Math.Max(0, path.LastIndexOf('/'))];
            if (directory.Length > 0 && directory != "dev") mounts.CreateInRoot(directory, directory: true);
            Slot parent = directory == "dev" ? dev : directory.Length == 0 ? mounts.Root : mounts.OpenInRoot(directory, flags: mounts.Inputs.Host.Abi.O_DIRECTORY);
            Node(mounts, device, parent, path[(path.LastIndexOf('/') + 1)..]);
        }

        writer.For("make the links of /dev");
        foreach ((string name, string target) in DeviceSteps.Links) writer.Call(symlinkat, target, dev, name).Tolerate(Errno.EEXIST);
    }

    /// <summary>Made where it is missing, as every runtime does, though the specification does not ask for it.</summary>
    internal static void WorkingDirectory(MountWriter mounts)
    {
        string directory = mounts.Inputs.Spec.WorkingDirectory.Trim('/');
        if (directory.Length == 0 || directory.Split('/').Contains("..")) return;
        PlanWriter writer = mounts.Writer;
        Label missing = new("the working directory is missing"), there = new("the working directory is there");
        writer.For(RootSteps.EnterPurpose(mounts.Inputs.Spec));
        mounts.OpenInRoot(directory, whenMissing: missing);
        writer.Call(close, -1).When(-(int)Errno.EBADF, there);
        writer.Mark(missing);
        mounts.CreateInRoot(directory, directory: true);
        writer.Mark(there);
    }

    /// <summary>Once the pseudo-terminal is there: it is the console too (config-linux.md, "Default Devices").</summary>
    internal static void Console(PlanWriter writer, PlanInputs inputs, Slot terminal)
    {
        if (inputs.Spec.Layout is null || !inputs.Spec.Namespaces.IsNew(NamespaceKind.Mount)) return;
        writer.For("make the terminal the console");
        writer.Call(mknodat, Operand.CurrentDirectory, "/dev/console", Operand.Named(S_IFREG | 0x180, "S_IFREG|0600"), 0).Tolerate(Errno.EEXIST);
        Slot mount = new("console mount"), place = new("console");
        writer.Call(open_tree, terminal, "", Operand.Named(AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC, "AT_EMPTY_PATH|OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC")).Into(mount);
        writer.Call(openat2, Operand.CurrentDirectory, "/dev/console", KernelStructs.OpenHow((uint)(O_PATH | O_CLOEXEC), 0, RESOLVE_NO_SYMLINKS, "{O_PATH|O_CLOEXEC, RESOLVE_NO_SYMLINKS}"), 24).Into(place);
        writer.Call(move_mount, mount, "", place, "", Operand.Named(MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH, "MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH"));
    }

    private static void Node(MountWriter mounts, OciDevice device, Slot directory, string name)
    {
        PlanWriter writer = mounts.Writer;
        if (mounts.Inputs.CanMakeDevices || device.Kind == S_IFIFO)
        {
            writer.Call(mknodat, directory, name, Operand.Named(device.Kind | device.Mode, $"0{Convert.ToString(device.Kind | device.Mode, 8)}"), Operand.Named(MakeDevice(device), $"makedev({device.Major}, {device.Minor})")).Tolerate(Errno.EEXIST);

            // What the image has there stays as it is, and no mode is set afterwards: in the place of a device it may have a link, which leads out of it before the root has changed.
            if ((device.UserId, device.GroupId) != (0, 0)) writer.Call(fchownat, directory, name, device.UserId, device.GroupId, AT_SYMLINK_NOFOLLOW);
            return;
        }

        // No user namespace can make devices: the host's own is bound, at whose path it is looked for.
        Slot node = mounts.CloneOfHost(device.Path, recursive: false);
        writer.Call(mknodat, directory, name, Operand.Named(S_IFREG | 0x1B6, "S_IFREG|0666"), 0).Tolerate(Errno.EEXIST);
        mounts.AttachBelow(node, directory, name);
    }

    // linux/kdev_t.h, new_encode_dev
    private static long MakeDevice(OciDevice device) => (device.Minor & 0xff) | (device.Major << 8) | ((device.Minor & ~0xffu) << 12);

    private static void MountNew(MountWriter mounts, OciMount mount, string target)
    {
        OciMountOptions options = mount.Options;
        List<(string, string)> data = [.. options.Data];
        if (mount.Source.Length > 0) data.Insert(0, ("source", mount.Source));
        // Filled before it may be read-only.
        Slot made = mounts.NewFilesystem(mount.Type, new(mount.Content.IsEmpty ? options.Set : options.Set & ~MOUNT_ATTR_RDONLY), [.. data]);
        foreach (CopiedEntry entry in mount.Content) CopyUp(mounts, made, entry);
        if (!mount.Content.IsEmpty && (options.Set & MOUNT_ATTR_RDONLY) != 0) Set(mounts, made, MOUNT_ATTR_RDONLY, 0, 0, recursive: false, mount);
        mounts.Attach(made, target);
        mounts.Remount(made, new(options.Set & 0xf));
        if (options.RecursiveSet != 0 || options.RecursiveClear != 0) Set(mounts, made, options.RecursiveSet, options.RecursiveClear, 0, recursive: true, mount);
        if (options.Propagation != 0) Set(mounts, made, 0, 0, options.Propagation, options.PropagationIsRecursive, mount);
    }

    private static void CopyUp(MountWriter mounts, Slot directory, CopiedEntry entry)
    {
        PlanWriter writer = mounts.Writer;
        int mode = (int)entry.Status.Mode;
        if (entry.LinkTarget is { } link) writer.Call(symlinkat, link, directory, entry.Path);
        else if (entry.Status.Type == FileType.Directory) writer.Call(mkdirat, directory, entry.Path, Operand.Octal(0x1ED)).Tolerate(Errno.EEXIST);
        else
        {
            Slot file = writer.CallInto(entry.Path, openat, directory, entry.Path, Operand.Named(O_WRONLY | O_CREAT | O_CLOEXEC, "O_WRONLY|O_CREAT|O_CLOEXEC"), Operand.Octal(0x180));
            if (!entry.Content.IsEmpty) writer.Call(write, file, Operand.Bytes([.. entry.Content], $"{entry.Content.Length} bytes"), entry.Content.Length);
            writer.Call(close, file);
        }

        // In a user namespace the ids on disk are nobody's.
        if (!mounts.Inputs.NewUser && (entry.Status.Uid, entry.Status.Gid) != (0, 0)) writer.Call(fchownat, directory, entry.Path, entry.Status.Uid, entry.Status.Gid, AT_SYMLINK_NOFOLLOW);
        if (entry.LinkTarget is null) writer.Call(fchmodat, directory, entry.Path, Operand.Octal(mode));
    }

    private static void SetAll(MountWriter mounts, Slot source, OciMount mount)
    {
        OciMountOptions options = mount.Options;
        if (options.Set != 0 || options.Clear != 0) Set(mounts, source, options.Set, options.Clear, 0, recursive: false, mount);
        if (options.RecursiveSet != 0 || options.RecursiveClear != 0) Set(mounts, source, options.RecursiveSet, options.RecursiveClear, 0, recursive: true, mount);
        if (options.Propagation != 0) Set(mounts, source, 0, 0, options.Propagation, options.PropagationIsRecursive, mount);
    }

    internal static void Set(MountWriter mounts, Slot slot, uint set, uint clear, ulong propagation, bool recursive, OciMount? mount)
    {
        if (!mounts.Inputs.Host.HasMountSetAttr)
        {
            if (propagation != 0) mounts.SetPropagation(slot, propagation, recursive);
            if (set != 0) mounts.Remount(slot, new(set & 0xf), mount?.IsBind == true ? mount.Source : null, recursive);
            return;
        }

        mounts.Writer.Call(mount_setattr, slot, "",
            recursive ? Operand.Named(AT_EMPTY_PATH | AT_RECURSIVE, "AT_EMPTY_PATH|AT_RECURSIVE") : Operand.Named(AT_EMPTY_PATH, "AT_EMPTY_PATH"),
            KernelStructs.MountAttr(set, propagation, FormattableString.Invariant($"{{set {new MountAttributes(set)}, clear 0x{clear:x}, propagation 0x{propagation:x}}}"), clear & ~set | ((set & MOUNT_ATTR__ATIME) != 0 ? MOUNT_ATTR__ATIME : 0)), 32);
    }
}
