using static Isolation.Linux.Abi;

namespace Isolation.Launch;

/// <summary>Attributes of a mount with their names.</summary>
internal readonly record struct MountAttributes(uint Bits)
{
    internal static MountAttributes NoDevices => new(MOUNT_ATTR_NODEV);

    internal static MountAttributes Data => new(MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);

    internal static MountAttributes Kernel => new(MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);

    internal static MountAttributes Devices => new(MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);

    internal MountAttributes With(bool condition, uint bit) => condition ? new(Bits | bit) : this;

    internal MountAttributes ReadOnly => new(Bits | MOUNT_ATTR_RDONLY);

    // The first four attributes have the same bits as the flags of mount(2).
    internal ulong MountFlags => Bits & 0xf;

    internal Operand Operand => Launch.Operand.Named(Bits, ToString());

    public override string ToString()
    {
        List<string> names = [];
        if ((Bits & MOUNT_ATTR_RDONLY) != 0) names.Add("MOUNT_ATTR_RDONLY");
        if ((Bits & MOUNT_ATTR_NOSUID) != 0) names.Add("MOUNT_ATTR_NOSUID");
        if ((Bits & MOUNT_ATTR_NODEV) != 0) names.Add("MOUNT_ATTR_NODEV");
        if ((Bits & MOUNT_ATTR_NOEXEC) != 0) names.Add("MOUNT_ATTR_NOEXEC");
        return names.Count == 0 ? "0" : string.Join('|', names);
    }
}
