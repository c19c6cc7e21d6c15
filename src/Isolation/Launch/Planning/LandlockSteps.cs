using System.Buffers.Binary;
using Isolation.Linux;
using static Isolation.Linux.Abi;
using static Isolation.Linux.SystemCall;

namespace Isolation.Launch;

/// <summary>Rules are made while paths can still be opened, and put in force once nothing is opened any more. The descriptors close when the program starts.</summary>
internal sealed class LandlockSteps
{
    private const LandlockAccess OfFiles = LandlockAccess.Execute | LandlockAccess.WriteFile | LandlockAccess.ReadFile | LandlockAccess.Truncate | LandlockAccess.ControlDevice;
    private readonly Slot _ruleset;

    private LandlockSteps(Slot ruleset) => _ruleset = ruleset;

    /// <summary>Makes the rules; null where none are wanted, or the kernel has nothing of what it may do without.</summary>
    internal static LandlockSteps? Make(PlanWriter writer, PlanInputs inputs)
    {
        if (inputs.Spec.Landlock is not { } policy) return null;
        int version = policy.BestEffort ? inputs.Host.LandlockVersion : int.MaxValue;
        LandlockAccess refused = policy.Refused & LandlockAbi.AccessOf(version);
        int network = !LandlockAbi.HasNetwork(version) ? 0 : (policy.BindPorts is null ? 0 : LANDLOCK_ACCESS_NET_BIND_TCP) | (policy.ConnectPorts is null ? 0 : LANDLOCK_ACCESS_NET_CONNECT_TCP);
        LandlockScopes scopes = LandlockAbi.HasScopes(version) ? policy.Scopes : 0;
        if (refused == 0 && network == 0 && scopes == 0) return null;

        // As short as may be: a kernel that does not know what is behind it takes only zeros there, or nothing.
        byte[] attributes = new byte[scopes != 0 ? 24 : network != 0 ? 16 : 8]; // struct landlock_ruleset_attr
        BinaryPrimitives.WriteUInt64LittleEndian(attributes, (ulong)refused);
        if (network != 0) BinaryPrimitives.WriteUInt64LittleEndian(attributes.AsSpan(8), (ulong)network);
        if (scopes != 0) BinaryPrimitives.WriteUInt64LittleEndian(attributes.AsSpan(16), (ulong)scopes);
        writer.For("make the rules of Landlock");
        LandlockSteps steps = new(writer.CallInto("ruleset", landlock_create_ruleset, Operand.Bytes(attributes, $"{{fs={refused}, net={network}, scoped={scopes}}}"), attributes.Length, 0));
        foreach (LandlockPath path in policy.Paths)
            if ((path.Access & refused) is var access && access != 0) steps.Allow(writer, path.Path, access);
        foreach (ushort port in network == 0 ? [] : policy.BindPorts ?? []) steps.AllowPort(writer, port, LANDLOCK_ACCESS_NET_BIND_TCP);
        foreach (ushort port in network == 0 ? [] : policy.ConnectPorts ?? []) steps.AllowPort(writer, port, LANDLOCK_ACCESS_NET_CONNECT_TCP);
        return steps;
    }

    internal void Enforce(PlanWriter writer)
    {
        writer.For("put the rules of Landlock in force");
        writer.Call(landlock_restrict_self, _ruleset, 0);
    }

    private void Allow(PlanWriter writer, string path, LandlockAccess access)
    {
        writer.For($"allow {access} of '{path}'");
        Slot ofDirectory = Rule(access), ofFile = Rule(access & OfFiles);
        writer.Call(openat, Operand.CurrentDirectory, path, Operand.Named(O_PATH | O_CLOEXEC, "O_PATH|O_CLOEXEC"), 0).Into(ofDirectory, 8);
        LaunchStep add = writer.Call(landlock_add_rule, _ruleset, Operand.Named(LANDLOCK_RULE_PATH_BENEATH, "LANDLOCK_RULE_PATH_BENEATH"), Operand.AddressOf(ofDirectory), 0);
        if (access == (access & OfFiles) || (access & OfFiles) == 0) return;

        // Of a file nothing is allowed that only directories have.
        Label file = new($"'{path}' is a file"), next = new($"after '{path}'");
        add.When(-(int)Errno.EINVAL, file);
        writer.Mark(next);
        writer.Later(() =>
        {
            writer.For($"allow {access & OfFiles} of '{path}', which is a file");
            writer.Mark(file);
            writer.Call(openat, Operand.CurrentDirectory, path, Operand.Named(O_PATH | O_CLOEXEC, "O_PATH|O_CLOEXEC"), 0).Into(ofFile, 8);
            writer.Call(landlock_add_rule, _ruleset, Operand.Named(LANDLOCK_RULE_PATH_BENEATH, "LANDLOCK_RULE_PATH_BENEATH"), Operand.AddressOf(ofFile), 0).When(0, next);
        });
    }

    private void AllowPort(PlanWriter writer, ushort port, int access)
    {
        byte[] rule = new byte[16]; // struct landlock_net_port_attr
        BinaryPrimitives.WriteUInt64LittleEndian(rule, (ulong)access);
        BinaryPrimitives.WriteUInt64LittleEndian(rule.AsSpan(8), port);
        writer.For($"allow port {port}");
        writer.Call(landlock_add_rule, _ruleset, Operand.Named(LANDLOCK_RULE_NET_PORT, "LANDLOCK_RULE_NET_PORT"), Operand.Bytes(rule, $"{{{access}, {port}}}"), 0);
    }

    private static Slot Rule(LandlockAccess access)
    {
        byte[] rule = new byte[16]; // struct landlock_path_beneath_attr, whose descriptor has four bytes
        BinaryPrimitives.WriteUInt64LittleEndian(rule, (ulong)access);
        return new("rule", rule.Length) { Initial = rule };
    }
}
