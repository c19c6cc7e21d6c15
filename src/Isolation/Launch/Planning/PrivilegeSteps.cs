using System.Buffers.Binary;
using Isolation.Linux;
using static Isolation.Linux.Abi;
using static Isolation.Linux.SystemCall;

namespace Isolation.Launch;

/// <summary>Who the program is, and what it may do (capabilities(7), "Transformation of capabilities during execve()").</summary>
internal static class PrivilegeSteps
{
    /// <summary>Before the user changes, because dropping takes CAP_SETPCAP.</summary>
    internal static void DropBounding(PlanWriter writer, PlanInputs inputs)
    {
        writer.For("drop the capabilities that are not granted from the bounding set");
        for (int capability = 0; inputs.CanDropBounding && capability <= inputs.Host.LastCapability; capability++)
            if (!Bounding(inputs).Has(capability))
                writer.Call(prctl, Operand.Named(PR_CAPBSET_DROP, "PR_CAPBSET_DROP"), capability, 0, 0, 0);
        writer.For("clear the ambient capabilities");
        writer.Call(prctl, Operand.Named(PR_CAP_AMBIENT, "PR_CAP_AMBIENT"),
            Operand.Named(PR_CAP_AMBIENT_CLEAR_ALL, "PR_CAP_AMBIENT_CLEAR_ALL"), 0, 0, 0);
    }

    internal static void SetIdentity(PlanWriter writer, PlanInputs inputs)
    {
        Identity identity = inputs.Identity;
        if (identity.UserId != 0 && Kept(inputs) != CapabilitySet.None)
        {
            writer.For("keep capabilities while the user changes");
            writer.Call(prctl, Operand.Named(PR_SET_KEEPCAPS, "PR_SET_KEEPCAPS"), 1, 0, 0, 0);
        }

        writer.For($"become user {identity.UserId}, group {identity.GroupId}");
        bool allowed = inputs.NewUser
            ? inputs.Maps.AllowsSetGroups
            : inputs.Spec.Namespaces.IsJoined(NamespaceKind.User) || (inputs.Host.Has(Capability.Setgid) && inputs.Host.AllowsSetGroups);
        if (allowed)
        {
            byte[] groups = new byte[Math.Max(4, identity.Groups.Length * 4)];
            for (int i = 0; i < identity.Groups.Length; i++)
                BinaryPrimitives.WriteUInt32LittleEndian(groups.AsSpan(4 * i), identity.Groups[i]);
            LaunchStep step = writer.Call(setgroups, identity.Groups.Length, Operand.Bytes(groups, $"[{string.Join(", ", identity.Groups)}]"));
            if (inputs.Spec.Namespaces.IsJoined(NamespaceKind.User)) step.Tolerate(Errno.EPERM);
        }

        writer.Call(setresgid, identity.GroupId, identity.GroupId, identity.GroupId);
        writer.Call(setresuid, identity.UserId, identity.UserId, identity.UserId);
    }

    /// <summary>
    /// A session keyring of the program's own (keyrings(7)), as the user that it is: else it would possess the caller's keys. A user who is not root may have
    /// 200 keys, each of which is one here, and then goes on without: the default filter lets nothing use it.
    /// </summary>
    internal static void NewKeyring(PlanWriter writer, PlanNotes notes)
    {
        Label refused = new("keyring refused"), done = new("keyring of its own");
        writer.For("take a session keyring of its own");
        writer.Call(keyctl, Operand.Named(KEYCTL_JOIN_SESSION_KEYRING, "KEYCTL_JOIN_SESSION_KEYRING"), Operand.Null).When(-(int)Errno.ENOSYS, done).OnErrorGo(refused);
        writer.Mark(done);
        writer.Later(() =>
        {
            writer.Mark(refused);
            notes.Send("keyring", "the caller's session keyring, because the kernel refused a new one: a user may have 200 keys, and a filter around this process may refuse the call", done);
        });
    }

    /// <summary>What the program is to have, and what confining it takes until it is confined.</summary>
    internal static void KeepGranted(PlanWriter writer, PlanInputs inputs)
    {
        writer.For("keep only the granted capabilities");
        SetCapabilities(writer, inputs, Kept(inputs));
        CapabilitySet ambient = Ambient(inputs);
        for (int capability = 0; capability <= inputs.Host.LastCapability; capability++)
            if (ambient.Has(capability))
                writer.Call(prctl, Operand.Named(PR_CAP_AMBIENT, "PR_CAP_AMBIENT"), Operand.Named(PR_CAP_AMBIENT_RAISE, "PR_CAP_AMBIENT_RAISE"), capability, 0, 0);
    }

    /// <summary>What was kept to confine the program, and is not granted, is given up.</summary>
    internal static void DropConfining(PlanWriter writer, PlanInputs inputs)
    {
        if (Kept(inputs) == Granted(inputs)) return;
        writer.For("give up the capability that confining took");
        SetCapabilities(writer, inputs, Granted(inputs));
    }

    private static CapabilitySet Bounding(PlanInputs inputs) => inputs.Spec.Sets?.Bounding ?? inputs.Spec.Capabilities;

    /// <summary>A program that is not root has those alone that are said to stay with it.</summary>
    private static CapabilitySet Granted(PlanInputs inputs) => inputs.Spec.Sets is { } sets ? Possible(inputs, sets.Permitted)
        : inputs.Identity.UserId == 0 ? Possible(inputs, inputs.Spec.Capabilities) : Ambient(inputs);

    private static CapabilitySet Ambient(PlanInputs inputs) => 
        Possible(inputs, inputs.Spec.Sets is { } sets ? new(sets.Ambient.Bits & sets.Permitted.Bits & sets.Inheritable.Bits) : inputs.Spec.AmbientCapabilities); // no other can be ambient (capabilities(7))

    private static CapabilitySet Kept(PlanInputs inputs) =>
        inputs.ConfinesByCapability ? Granted(inputs).With(Capability.SysAdmin) : Granted(inputs);

    private static CapabilitySet Possible(PlanInputs inputs, CapabilitySet wanted)
    {
        ulong bits = wanted.Bits & inputs.Host.KnownCapabilities.Bits;
        return new(inputs.Spec.Namespaces.IsHost(NamespaceKind.User) ? bits & inputs.Host.Capabilities.Bits : bits);
    }

    // Inheritable are those alone that must be, to be ambient (CVE-2022-24769).
    private static void SetCapabilities(PlanWriter writer, PlanInputs inputs, CapabilitySet kept)
    {
        ulong inheritable = inputs.Spec.Sets is { } sets ? Possible(inputs, sets.Inheritable).Bits : Ambient(inputs).Bits;
        ulong effectives = inputs.Spec.Sets is { } all ? Possible(inputs, all.Effective).Bits | (kept.Bits & ~Granted(inputs).Bits) : kept.Bits;
        byte[] header = new byte[8], data = new byte[24];
        BinaryPrimitives.WriteUInt32LittleEndian(header, _LINUX_CAPABILITY_VERSION_3);
        for (int half = 0; half < 2; half++)
        {
            uint bits = (uint)(kept.Bits >> (32 * half));
            BinaryPrimitives.WriteUInt32LittleEndian(data.AsSpan(12 * half), (uint)(effectives >> (32 * half)));
            BinaryPrimitives.WriteUInt32LittleEndian(data.AsSpan(12 * half + 4), bits); // permitted
            BinaryPrimitives.WriteUInt32LittleEndian(data.AsSpan(12 * half + 8), (uint)(inheritable >> (32 * half)));
        }

        writer.Call(capset, Operand.Bytes(header, "{_LINUX_CAPABILITY_VERSION_3, 0}"),
            Operand.Bytes(data, FormattableString.Invariant($"{{effective=0x{effectives:x}, permitted=0x{kept.Bits:x}, inheritable=0x{inheritable:x}}}")));
    }
}
