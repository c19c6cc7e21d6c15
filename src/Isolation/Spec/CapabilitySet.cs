namespace Isolation;

/// <summary>A set of capabilities as the kernel writes it: one bit each.</summary>
internal readonly record struct CapabilitySet(ulong Bits)
{
    internal static CapabilitySet None => default;

    /// <summary>
    /// What containers are given as a rule (the set that Docker and containerd use) less Mknod: device files are not
    /// the container's to make.
    /// </summary>
    internal static CapabilitySet Default { get; } = Of(
        Capability.Chown, Capability.DacOverride, Capability.Fowner, Capability.Fsetid, Capability.Kill,
        Capability.Setgid, Capability.Setuid, Capability.Setpcap, Capability.NetBindService, Capability.NetRaw,
        Capability.SysChroot, Capability.AuditWrite, Capability.Setfcap);

    internal static CapabilitySet All => new(ulong.MaxValue);

    internal static CapabilitySet Of(params ReadOnlySpan<Capability> capabilities)
    {
        ulong bits = 0;
        foreach (Capability capability in capabilities) bits |= Bit(capability);
        return new(bits);
    }

    internal bool Has(int number) => (Bits >> number & 1) != 0;

    internal CapabilitySet With(Capability capability) => new(Bits | Bit(capability));

    internal CapabilitySet Without(Capability capability) => new(Bits & ~Bit(capability));

    private static ulong Bit(Capability capability)
    {
        if (capability is < 0 or > (Capability)63)
            throw new ArgumentOutOfRangeException(nameof(capability), capability, "Capabilities are numbered 0 to 63.");
        return 1UL << (int)capability;
    }
}
