using Isolation.Linux;
using static Isolation.Linux.Abi;
using static Isolation.Linux.SystemCall;

namespace Isolation.Launch;

/// <summary>A <c>/dev</c> of the container's own: six devices, pseudo-terminals, shared memory, message queues, links.</summary>
internal static class DeviceSteps
{
    // Numbers from the kernel's Documentation/admin-guide/devices.txt.
    internal static readonly (string Name, int Major, int Minor)[] Nodes =
        [("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0)];

    internal static readonly (string Name, string Target)[] Links =
        [("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"), ("stderr", "/proc/self/fd/2"), ("ptmx", "pts/ptmx")];

    private const uint TerminalGroup = 5; // "tty" of every distribution's base files

    internal static void Write(MountWriter mounts)
    {
        if (FilesystemPlanner.IsOverridden(mounts.Inputs, "dev")) return;
        PlanWriter writer = mounts.Writer;
        writer.For("mount the private /dev");
        // A directory of the scratch file system: one file system less to make, and to take down when the container ends.
        writer.Call(mkdirat, mounts.Scratch, "dev", Operand.Octal(0x1ED));
        Slot dev = mounts.CloneOfScratch("dev");
        mounts.SetAttributes(dev, MountAttributes.Devices, recursive: false);
        mounts.Attach(dev, "dev");
        mounts.Remount(dev, MountAttributes.Devices);
        writer.For("make the devices");
        foreach ((string name, int major, int minor) in Nodes) Node(mounts, dev, name, major, minor);
        writer.For("make the links of /dev");
        foreach ((string name, string target) in Links) writer.Call(symlinkat, target, dev, name);
        Terminals(mounts, dev);
        if (!FilesystemPlanner.IsOverridden(mounts.Inputs, "dev/shm"))
        {
            writer.For("mount the private /dev/shm");
            writer.Call(mkdirat, dev, "shm", Operand.Octal(0x1ED));
            mounts.AttachBelow(mounts.NewTmpfs(MountAttributes.Kernel, mounts.Inputs.Spec.SharedMemorySize, 0x3FF), dev, "shm");
        }
        else
        {
            writer.Call(mkdirat, dev, "shm", Operand.Octal(0x1ED));
        }

        MessageQueues(mounts, dev);
    }

    private static void Node(MountWriter mounts, Slot dev, string name, int major, int minor)
    {
        PlanWriter writer = mounts.Writer;
        if (mounts.Inputs.CanMakeDevices)
        {
            writer.Call(mknodat, dev, name, Operand.Named(S_IFCHR | 0x1B6, "S_IFCHR|0666"), Operand.Named((major << 8) | minor, $"makedev({major}, {minor})"));
            return;
        }

        // No user namespace can make devices: the host's own are bound. Their path is the host's, not the container's.
        Slot device = mounts.CloneOfHost("/dev/" + name, recursive: false);
        writer.Call(openat, dev, name, Operand.Named(O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, "O_WRONLY|O_CREAT|O_EXCL|O_CLOEXEC"), Operand.Octal(0x1B6));
        mounts.AttachBelow(device, dev, name);
    }

    private static void Terminals(MountWriter mounts, Slot dev)
    {
        List<(string, string)> options = [("ptmxmode", "0666"), ("mode", "0620")];
        if (HasTerminalGroup(mounts.Inputs)) options.Add(("gid", MountWriter.Number(TerminalGroup)));
        mounts.Writer.For("mount the private /dev/pts");
        mounts.Writer.Call(mkdirat, dev, "pts", Operand.Octal(0x1ED));
        mounts.AttachBelow(mounts.NewFilesystem("devpts", MountAttributes.Devices, [.. options]), dev, "pts");
    }

    private static bool HasTerminalGroup(PlanInputs inputs)
    {
        if (inputs.Spec.Namespaces.IsJoined(NamespaceKind.User)) return false;
        return IdentityMaps.Has(inputs.NewUser ? inputs.Maps.Groups : inputs.Host.GroupIds, TerminalGroup);
    }

    private static void MessageQueues(MountWriter mounts, Slot dev)
    {
        if (!mounts.Inputs.Host.HasMessageQueues) return;
        PlanWriter writer = mounts.Writer;
        Label refused = new("mqueue refused"), done = new("mqueue mounted");
        writer.For("mount the private /dev/mqueue");
        writer.Call(mkdirat, dev, "mqueue", Operand.Octal(0x1ED));

        // The queues belong to an ipc namespace, and mount only for root of the user namespace that owns it.
        Slot queues = mounts.NewFilesystem("mqueue", MountAttributes.Kernel, [], refused);
        mounts.AttachBelow(queues, dev, "mqueue");
        writer.Mark(done);
        writer.Later(() =>
        {
            writer.Mark(refused);
            mounts.Notes.Send("/dev/mqueue", "there are no message queues in /dev, because the ipc namespace is not this container's", done);
        });
    }
}
