using System.Runtime.InteropServices;
using Isolation.Linux;
using static Isolation.Cgroups.BpfInstruction;
using static Isolation.Cgroups.BpfRegister;

namespace Isolation.Cgroups;

/// <summary>
/// Rules about devices as a program that the kernel asks at each open(2) and mknod(2) of a device
/// (BPF_PROG_TYPE_CGROUP_DEVICE, Linux 4.15): v2 has no files for them.
/// </summary>
/// <remarks>
/// It walks the rules from the last to the first, keeping the uses that no rule has decided yet, exactly as
/// <see cref="DeviceRules.Allow"/> does. runc and crun compare all uses at once, with which a denial of writing does not
/// stop who opens to read and write.
/// </remarks>
internal static class DeviceProgram
{
    private const BpfRegister Type = R2, Undecided = R3, Major = R4, Minor = R5;

    /// <summary>An array of <c>struct bpf_insn</c>, eight bytes each.</summary>
    internal static byte[] Assemble(IReadOnlyList<DeviceRule> rules)
    {
        nint accessType = Offset(nameof(bpf_cgroup_dev_ctx.access_type));
        List<bpf_insn> program =
        [
            LoadWord(Type, R1, accessType),
            And32(Type, 0xffff),
            LoadWord(Undecided, R1, accessType),
            ShiftRight32(Undecided, 16),
            LoadWord(Major, R1, Offset(nameof(bpf_cgroup_dev_ctx.major))),
            LoadWord(Minor, R1, Offset(nameof(bpf_cgroup_dev_ctx.minor))),
        ];
        for (int i = rules.Count - 1; i >= 0; i--)
        {
            if (rules[i].IsAboutEverything)
            {
                // The verifier refuses code that is never reached, so what earlier rules say is left out.
                program.AddRange(Return(rules[i].Allows));
                return ToBytes(program);
            }
            AddRule(program, rules[i]);
        }
        program.AddRange(Return(allowed: false));
        return ToBytes(program);
    }

    private static void AddRule(List<bpf_insn> program, DeviceRule rule)
    {
        int access = (int)rule.Access;
        // The mask keeps bits that a later kernel may ask about: no rule allows what it does not know.
        bpf_insn[] decision = rule.Allows
            ? [And32(Undecided, ~access), SkipUnlessEqual(Undecided, 0, 2), .. Return(allowed: true)]
            // The machine has no "skip unless any", hence the jump over a jump.
            : [SkipIfAny(Undecided, access, 1), Skip(2), .. Return(allowed: false)];

        List<(BpfRegister Register, int Value)> conditions = [];
        if (rule.Type != DeviceType.All) conditions.Add((Type, rule.Type == DeviceType.Char ? Abi.BPF_DEVCG_DEV_CHAR : Abi.BPF_DEVCG_DEV_BLOCK));
        if (rule.Major is { } major) conditions.Add((Major, major));
        if (rule.Minor is { } minor) conditions.Add((Minor, minor));
        for (int i = 0; i < conditions.Count; i++)
        {
            int rest = conditions.Count - 1 - i + decision.Length;
            program.Add(SkipUnlessEqual(conditions[i].Register, conditions[i].Value, rest));
        }
        program.AddRange(decision);
    }

    private static bpf_insn[] Return(bool allowed) => [Move(R0, allowed ? 1 : 0), Exit()];

    private static nint Offset(string field) => Marshal.OffsetOf<bpf_cgroup_dev_ctx>(field);
}
