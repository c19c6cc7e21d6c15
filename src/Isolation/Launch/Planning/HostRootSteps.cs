using static Isolation.Linux.Abi;
using static Isolation.Linux.SystemCall;

namespace Isolation.Launch;

/// <summary>
/// The host's own files as the root: every part read-only beneath a private layer. The parts are data (see
/// <see cref="HostRootLayout"/>); here they become steps.
/// </summary>
internal static class HostRootSteps
{
    internal static void Write(MountWriter mounts, Slot id)
    {
        IReadOnlyList<HostRootPart> parts = HostRootLayout.For(mounts.Inputs);
        PlanWriter writer = mounts.Writer;
        int layer = 0;
        foreach (HostRootPart part in parts)
        {
            string name = "part" + MountWriter.Number(layer++);
            switch (part.Kind)
            {
                case HostRootPartKind.Skeleton:
                    writer.For("make the root for the host's directories");
                    writer.Call(mkdirat, mounts.Scratch, "root", Operand.Octal(0x1ED));
                    mounts.Root = mounts.CloneOfScratch("root");
                    mounts.Unsealed.Add(mounts.Root);
                    mounts.SetAttributes(mounts.Root, MountAttributes.NoDevices, recursive: false);
                    mounts.AttachToOldRoot(mounts.Root);
                    mounts.Remount(mounts.Root, MountAttributes.NoDevices);
                    break;
                case HostRootPartKind.Directory:
                    writer.For($"make '/{part.Path}'");
                    writer.Call(mkdirat, mounts.Root, part.Path, Operand.Octal(part.Mode));
                    break;
                case HostRootPartKind.Link:
                    writer.For($"make the link '/{part.Path}'");
                    writer.Call(symlinkat, part.Link!, mounts.Root, part.Path);
                    break;
                case HostRootPartKind.Overlay:
                    Overlay(mounts, part, name, id);
                    break;
                default:
                    writer.For($"bind the host's '/{part.Path}' read-only");
                    Bind(mounts, part, id);
                    break;
            }
        }
    }

    private static void Overlay(MountWriter mounts, HostRootPart part, string name, Slot id)
    {
        PlanWriter writer = mounts.Writer;
        bool isRoot = part.Path.Length == 0, holdsEtc = isRoot || part.Path == "etc";
        string purpose = $"lay a private layer over the host's '/{part.Path}'";
        writer.For(purpose);
        if (part.Create) writer.Call(mkdirat, mounts.Root, part.Path, Operand.Octal(part.Mode));
        OverlaySteps.MakeLayer(mounts, name, "/" + part.Path);
        if (part.HasOpenTmp)
        {
            // Overlayfs cannot copy up a directory whose owner has no id inside, and /var/tmp is for everybody.
            writer.Call(mkdirat, mounts.Scratch, name + ".upper/tmp", Operand.Octal(0x3FF));
        }

        if (holdsEtc) EtcSteps.WriteIntoLayer(mounts, isRoot ? name + ".upper/etc" : name + ".upper", id, make: isRoot);
        writer.For(purpose);

        Label refused = new($"layer over /{part.Path} refused"), attached = new($"/{part.Path} attached");
        Slot overlay = OverlaySteps.Mount(mounts, ["/" + part.Path], name, refused);
        Attach(mounts, part, overlay);
        mounts.Unsealed.Add(overlay);
        writer.Mark(attached);
        writer.Later(() =>
        {
            // Overlays stack two deep; some file systems cannot be lower directories; kernels before 5.11 allow none
            // in a user namespace. What is beneath stays read-only all the same.
            writer.For($"bind the host's '/{part.Path}' read-only");
            writer.Mark(refused);
            writer.Call(open_tree, Operand.CurrentDirectory, "/" + part.Path, MountWriter.CloneTree(recursive: true)).Into(overlay);
            mounts.SetAttributes(overlay, MountAttributes.NoDevices.ReadOnly, recursive: true, MS_PRIVATE);
            Attach(mounts, part, overlay);
            if (isRoot) mounts.DetachCopyOfScratch(overlay);
            mounts.Remount(overlay, MountAttributes.NoDevices.ReadOnly, "/" + part.Path);
            if (holdsEtc) EtcSteps.BindFiles(mounts, id);
            mounts.Notes.Send("/" + part.Path, "read-only without a private layer, because the kernel refused an overlay over it", attached);
        });
    }

    private static void Attach(MountWriter mounts, HostRootPart part, Slot mount)
    {
        if (part.Path.Length > 0)
        {
            mounts.AttachBelow(mount, mounts.Root, part.Path);
            return;
        }

        bool first = mounts.Root != mount;
        mounts.Root = mount;
        mounts.AttachToOldRoot(mount, counts: first); // the fallback stacks it instead, not besides
    }

    private static void Bind(MountWriter mounts, HostRootPart part, Slot id)
    {
        if (part.Create)
        {
            if (part.IsDirectory) mounts.Writer.Call(mkdirat, mounts.Root, part.Path, Operand.Octal(0x1ED));
            else
                mounts.Writer.Call(openat, mounts.Root, part.Path,
                    Operand.Named(O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, "O_RDONLY|O_CREAT|O_EXCL|O_CLOEXEC"), Operand.Octal(0x1A4)); // one open for writing would keep the root from being made read-only
        }

        Slot clone = mounts.CloneOfHost("/" + part.Path, recursive: true);
        mounts.SetAttributes(clone, MountAttributes.NoDevices.ReadOnly, recursive: true, MS_PRIVATE);
        mounts.AttachBelow(clone, mounts.Root, part.Path);
        mounts.Remount(clone, MountAttributes.NoDevices.ReadOnly, "/" + part.Path);
        if (part.Path == "etc") EtcSteps.BindFiles(mounts, id);
    }
}
