using System.Globalization;
using Isolation.Linux;
using static Isolation.Linux.Abi;
using static Isolation.Linux.SystemCall;

namespace Isolation.Launch;

/// <summary>
/// The vocabulary of the filesystem part of a plan. Mounts are made detached and attached to descriptors; every target
/// in the container's root is opened with the root as its root, so that no symbolic link in it leads a mount outside
/// (CVE-2021-30465, CVE-2019-19921, CVE-2023-27561 and their like).
/// </summary>
internal sealed class MountWriter(PlanWriter writer, PlanNotes notes, PlanInputs inputs)
{
    private const int LeastRemountDescriptor = 200;
    private readonly int _path = O_PATH | O_CLOEXEC;

    internal PlanWriter Writer { get; } = writer;

    internal PlanNotes Notes { get; } = notes;

    internal PlanInputs Inputs { get; } = inputs;

    /// <summary>The root mount of the container.</summary>
    internal Slot Root { get; set; } = null!;

    /// <summary>
    /// A tmpfs that is attached to the old root only: it holds what is to be bound into the new root and the private
    /// writable layers, and leaves sight with the old root.
    /// </summary>
    internal Slot Scratch { get; set; } = null!;

    /// <summary>Where it stands.</summary>
    internal string ScratchPlace { get; private set; } = "/";

    /// <summary>Mounts of the root besides <see cref="Root"/> that can be written until it is sealed.</summary>
    internal List<Slot> Unsealed { get; } = [];

    /// <summary>How many mounts are stacked on the old root, the new root among them.</summary>
    internal int MountsOnOldRoot { get; private set; }

    internal static Operand CloneTree(bool recursive) => recursive
        ? Operand.Named(OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE, "OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_RECURSIVE")
        : Operand.Named(OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC, "OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC");

    /// <summary>A new file system, detached. An option with an empty value is a flag. <paramref name="onError"/> takes a refusal of the kernel, if given.</summary>
    internal Slot NewFilesystem(string type, MountAttributes attributes, ReadOnlySpan<(string Key, string Value)> options, Label? onError = null)
    {
        Slot context = new(type + " context"), mount = new(type + " mount");
        List<LaunchStep> steps = [Writer.Call(fsopen, type, Operand.Named(FSOPEN_CLOEXEC, "FSOPEN_CLOEXEC")).Into(context)];
        (string, string)[] labels = Inputs.Labels?.Mounts is { } label && type is "tmpfs" or "devpts" or "overlay" ? [("context", label)] : [];
        foreach ((string key, string value) in (ReadOnlySpan<(string, string)>)[.. options, .. labels])
        {
            steps.Add(value.Length == 0
                ? Writer.Call(fsconfig, context, Operand.Named(FSCONFIG_SET_FLAG, "FSCONFIG_SET_FLAG"), key, Operand.Null, 0)
                : Writer.Call(fsconfig, context, Operand.Named(FSCONFIG_SET_STRING, "FSCONFIG_SET_STRING"), key, value, 0));
        }

        steps.Add(Writer.Call(fsconfig, context, Operand.Named(FSCONFIG_CMD_CREATE, "FSCONFIG_CMD_CREATE"), Operand.Null, Operand.Null, 0));
        steps.Add(Writer.Call(fsmount, context, Operand.Named(FSMOUNT_CLOEXEC, "FSMOUNT_CLOEXEC"), attributes.Operand).Into(mount));
        if (onError is not null)
            foreach (LaunchStep step in steps) step.OnErrorGo(onError);
        return mount;
    }

    internal Slot NewTmpfs(MountAttributes attributes, long size, int mode, long? inodes = null)
    {
        List<(string, string)> options = [("size", Number(size)), ("mode", "0" + Convert.ToString(mode, 8))];
        if (inodes is { } count) options.Add(("nr_inodes", Number(count)));
        return NewFilesystem("tmpfs", attributes, [.. options]);
    }

    /// <summary>A detached copy of what the host has at a path.</summary>
    internal Slot CloneOfHost(string path, bool recursive)
    {
        Slot mount = new("mount of " + path);
        Writer.Call(open_tree, Operand.CurrentDirectory, path, CloneTree(recursive)).Into(mount);
        return mount;
    }

    /// <summary>What the host has mounted at no path for a place, because it is seen through the container's identity map; null where it has not.</summary>
    internal Slot? Passed(string target)
    {
        for (int i = 0; i < Inputs.MappedBinds.Length; i++)
            if (Inputs.MappedBinds[i].Target == target) return Writer.CallInto("mount for " + target, fcntl, Inputs.Passed.FirstBind + i, Operand.Named(F_DUPFD_CLOEXEC, "F_DUPFD_CLOEXEC"), 0);
        return null;
    }

    /// <summary>The same, where no part of the path may be a link.</summary>
    internal Slot CloneOfHostWithoutLinks(string path, bool recursive)
    {
        Slot source = Writer.CallInto("source " + path, openat2, Operand.CurrentDirectory, path, KernelStructs.OpenHow((uint)(O_PATH | O_CLOEXEC), 0, RESOLVE_NO_SYMLINKS, "{O_PATH|O_CLOEXEC, RESOLVE_NO_SYMLINKS}"), 24);
        return CloneOf(source, path, recursive);
    }

    /// <summary>A detached copy of what a descriptor stands for.</summary>
    internal Slot CloneOf(Slot source, string path, bool recursive)
    {
        Slot mount = new("mount of " + path);
        Writer.Call(open_tree, source, "", recursive
            ? Operand.Named(AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE, "AT_EMPTY_PATH|OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_RECURSIVE")
            : Operand.Named(AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC, "AT_EMPTY_PATH|OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC")).Into(mount);
        return mount;
    }

    /// <summary>A detached copy of what the scratch tmpfs has at a path.</summary>
    internal Slot CloneOfScratch(string path)
    {
        Slot mount = new("mount of scratch " + path);
        Writer.Call(open_tree, Scratch, path, CloneTree(recursive: false)).Into(mount);
        return mount;
    }

    /// <summary>Sets attributes and propagation of a mount, and with <paramref name="recursive"/> of those beneath it.</summary>
    internal LaunchStep? SetAttributes(Slot mount, MountAttributes attributes, bool recursive, ulong propagation = 0)
    {
        if (attributes.Bits == 0 && propagation == 0) return null;
        if (!Inputs.Host.HasMountSetAttr) return null; // see Remount
        string display = propagation == 0 ? $"{{{attributes}}}" : $"{{{attributes}, {PropagationName(propagation)}}}";
        return Writer.Call(mount_setattr, mount, "",
            recursive ? Operand.Named(AT_EMPTY_PATH | AT_RECURSIVE, "AT_EMPTY_PATH|AT_RECURSIVE") : Operand.Named(AT_EMPTY_PATH, "AT_EMPTY_PATH"),
            KernelStructs.MountAttr(attributes.Bits, propagation, display), 32);
    }

    /// <summary>
    /// What <see cref="SetAttributes"/> does, on kernels before 5.12 and for one mount that is attached already:
    /// mount(2) takes a path, and a descriptor has one in the host's /proc. The source is where the mount was copied from
    /// on the host, so that it keeps the flags it had there and so do the mounts beneath it that came along; null for a new
    /// file system.
    /// </summary>
    internal LaunchStep? Remount(Slot mount, MountAttributes attributes, string? source = null, bool recursive = true)
    {
        if (Inputs.Host.HasMountSetAttr || attributes.Bits == 0) return null;
        LaunchStep last = RemountOne(mount, attributes, source);
        if (source is null || !recursive) return last;
        foreach (HostMount beneath in Inputs.Mounts.Where(candidate => candidate.IsBeneath(source)))
        {
            // Mounts of others come and go: one that is gone by now, its directory perhaps with it, needs no attributes.
            Slot place = new(beneath.Path);
            Label gone = new($"{beneath.Path} is gone");
            Writer.Call(openat, mount, beneath.Path[source.Length..].TrimStart('/'), Operand.Named(_path, "O_PATH|O_CLOEXEC")).Into(place).When(-(int)Errno.ENOENT, gone);
            last = RemountOne(place, attributes, beneath.Path).When(-(int)Errno.EINVAL, gone); // not the root of a mount
            Writer.Mark(gone);
        }

        return last;
    }

    /// <summary>The propagation of a mount that is attached, on kernels before 5.12 likewise.</summary>
    internal void SetPropagation(Slot mount, ulong propagation, bool recursive)
    {
        if (Inputs.Host.HasMountSetAttr) return;
        MountByDescriptor(mount, recursive ? propagation | MS_REC : propagation, PropagationName(propagation) + (recursive ? "|MS_REC" : ""));
    }

    private LaunchStep RemountOne(Slot mount, MountAttributes attributes, string? source)
    {
        if (source is not null) attributes = new(attributes.Bits | Inputs.Mounts.LastOrDefault(candidate => candidate.Holds(source)).Attributes);
        return MountByDescriptor(mount, MS_REMOUNT | MS_BIND | attributes.MountFlags, $"MS_REMOUNT|MS_BIND|{attributes}");
    }

    private LaunchStep MountByDescriptor(Slot mount, ulong flags, string names)
    {
        // A number that is known while the plan is written, above all that are opened and all that the caller asked for.
        int number = Math.Max(LeastRemountDescriptor, Inputs.Passed.Count);
        Writer.Call(dup3, mount, number, Operand.Named(O_CLOEXEC, "O_CLOEXEC"));
        return Writer.Call(SystemCall.mount, Operand.Null, $"/proc/self/fd/{number}", Operand.Null, Operand.Named(flags, names), Operand.Null);
    }

    /// <summary>A descriptor of a path inside the root: never of anything outside, whatever links the root holds.</summary>
    internal Slot OpenInRoot(string path, Label? whenMissing = null, int flags = 0)
    {
        Slot target = new("/" + path);
        if (Inputs.Host.HasOpenAt2)
        {
            OpenFollowing(path.Length == 0 ? "." : path, target, whenMissing, flags);
            return target;
        }

        // Without openat2 no link is followed at all: a root with links in the way of a mount is refused.
        string[] names = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        Slot at = Root;
        for (int i = 0; i < names.Length; i++)
        {
            bool last = i == names.Length - 1;
            Slot next = last ? target : new Slot("/" + string.Join('/', names[..(i + 1)]));
            int open = _path | Inputs.Host.Abi.O_NOFOLLOW | (last ? flags : Inputs.Host.Abi.O_DIRECTORY);
            LaunchStep step = Writer.Call(openat, at, names[i], Operand.Named(open, "O_PATH|O_CLOEXEC|O_NOFOLLOW")).Into(next);
            if (whenMissing is not null) step.When(-(int)Errno.ENOENT, whenMissing);
            at = next;
        }

        if (names.Length == 0) Writer.Call(openat, Root, ".", Operand.Named(_path, "O_PATH|O_CLOEXEC")).Into(target);
        return target;
    }

    /// <summary>
    /// The kernel answers EAGAIN where anything on the machine was renamed or mounted while it went through ".." of a link
    /// (<c>/etc/resolv.conf</c>, or <c>/var/run</c>), and other containers begin all the time. Under a storm of renames it was one
    /// try in twelve, so several are made, one step each: a plan has no loop that does not wait.
    /// </summary>
    private void OpenFollowing(string path, Slot target, Label? whenMissing, int flags)
    {
        const int Tries = 8;
        Label opened = new($"{target} was opened");
        Operand how = KernelStructs.OpenHow((uint)(_path | flags), 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS, "{O_PATH|O_CLOEXEC, RESOLVE_IN_ROOT|RESOLVE_NO_MAGICLINKS}");
        for (int i = 1; i < Tries; i++)
        {
            Label next = new($"open {target} once more");
            Open().OnErrorGo(next);
            Writer.Call(close, -1).When(-(int)Errno.EBADF, opened);
            Writer.Mark(next);
        }

        Open();
        Writer.Mark(opened);

        LaunchStep Open()
        {
            LaunchStep step = Writer.Call(openat2, Root, path, how, 24).Into(target);
            return whenMissing is null ? step : step.When(-(int)Errno.ENOENT, whenMissing);
        }
    }

    /// <summary>Attaches a detached mount to a path inside the root.</summary>
    internal void Attach(Slot mount, string path) => AttachTo(mount, OpenInRoot(path));

    internal LaunchStep AttachTo(Slot mount, Slot target) =>
        Writer.Call(move_mount, mount, "", target, "",
            Operand.Named(MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH, "MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH"));

    /// <summary>Attaches a detached mount to a name in a directory that only this plan has written.</summary>
    internal LaunchStep AttachBelow(Slot mount, Slot directory, string name) =>
        Writer.Call(move_mount, mount, "", directory, name, Operand.Named(MOVE_MOUNT_F_EMPTY_PATH, "MOVE_MOUNT_F_EMPTY_PATH"));

    /// <summary>Puts a mount on top of the old root, where only descriptors lead to it, or on a directory in it.</summary>
    internal void AttachToOldRoot(Slot mount, bool counts = true, string place = "/")
    {
        if (counts) MountsOnOldRoot++;
        Writer.Call(move_mount, mount, "", Operand.CurrentDirectory, place, Operand.Named(MOVE_MOUNT_F_EMPTY_PATH, "MOVE_MOUNT_F_EMPTY_PATH"));
    }

    /// <summary>
    /// Puts the scratch file system on the old root or on a directory in it. A link at that place is not followed: were it
    /// one to "/", a mount more would lie on the old root than is detached.
    /// </summary>
    internal void AttachScratch(string place)
    {
        ScratchPlace = place;
        if (place == "/") AttachToOldRoot(Scratch);
        else Writer.Call(move_mount, Scratch, "", Operand.CurrentDirectory, place, Operand.Named(MOVE_MOUNT_F_EMPTY_PATH, "MOVE_MOUNT_F_EMPTY_PATH"));
    }

    /// <summary>
    /// A copy of the whole tree takes along the scratch file system that stands in it; without this it would lie in the
    /// container for good. Goes back to the scratch file system as the current directory.
    /// </summary>
    internal void DetachCopyOfScratch(Slot copyOfTree)
    {
        Slot place = copyOfTree;
        if (ScratchPlace != "/")
        {
            place = new("copy of " + ScratchPlace);
            Writer.Call(openat, copyOfTree, ScratchPlace[1..], Operand.Named(_path, "O_PATH|O_CLOEXEC")).Into(place);
        }

        Writer.Call(fchdir, place);
        Writer.Call(umount2, ".", Operand.Named(MNT_DETACH, "MNT_DETACH"));
        Writer.Call(fchdir, Scratch);
    }

    /// <summary>Makes a directory or an empty file inside the root, with the directories it is in, where they are missing.</summary>
    internal void CreateInRoot(string path, bool directory)
    {
        string[] names = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        Slot at = Root;
        for (int i = 0; i < names.Length; i++)
        {
            bool last = i == names.Length - 1;
            if (last && !directory)
            {
                // Made without being opened: a file open for writing keeps its mount from becoming read-only (EBUSY). A
                // dangling link at this name must not make a file where it points, and mknod(2) follows none.
                Writer.Call(mknodat, at, names[i], Operand.Named(S_IFREG | 0x1A4, "S_IFREG|0644"), 0).Tolerate(Errno.EEXIST);
                return;
            }

            Writer.Call(mkdirat, at, names[i], Operand.Octal(0x1ED)).Tolerate(Errno.EEXIST);
            if (!last) at = OpenInRoot(string.Join('/', names[..(i + 1)]), flags: Inputs.Host.Abi.O_DIRECTORY);
        }
    }

    /// <summary>Writes a small file into a directory that only this plan has written.</summary>
    internal void WriteFile(Slot directory, string name, params ReadOnlySpan<(Operand Content, int Length)> parts)
    {
        Slot file = Writer.CallInto(name, openat, directory, name,
            Operand.Named(O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, "O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC"), Operand.Octal(0x1A4));
        foreach ((Operand content, int length) in parts)
            if (length > 0) Writer.Call(write, file, content, length);
    }

    internal static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static string PropagationName(ulong propagation) => propagation switch
    {
        MS_PRIVATE => "MS_PRIVATE",
        MS_SLAVE => "MS_SLAVE",
        MS_SHARED => "MS_SHARED",
        _ => "MS_UNBINDABLE",
    };
}
