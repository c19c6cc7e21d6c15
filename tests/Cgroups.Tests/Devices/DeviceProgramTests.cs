using CsCheck;

namespace Isolation.Cgroups.Tests;

public sealed class DeviceProgramTests
{
    private static readonly string[] Beginning =
    [
        "r2 = *(u32 *)(r1 + 0)",
        "w2 &= 65535",
        "r3 = *(u32 *)(r1 + 0)",
        "w3 >>= 16",
        "r4 = *(u32 *)(r1 + 4)",
        "r5 = *(u32 *)(r1 + 8)",
    ];

    [Fact]
    public void The_last_rule_comes_first() => Assert.Equal(
        [
            .. Beginning,
            "if r2 != 1 goto +5", // block
            "if r4 != 8 goto +4",
            "if r3 & 4 goto +1", // deny b 8:* w
            "goto +2",
            "r0 = 0",
            "exit",
            "if r2 != 2 goto +6", // char
            "if r4 != 1 goto +5",
            "if r5 != 3 goto +4",
            "w3 &= -7", // allow c 1:3 rw
            "if r3 != 0 goto +2",
            "r0 = 1",
            "exit",
            "r0 = 0",
            "exit",
        ],
        new BpfMachine(DeviceProgram.Assemble([DeviceRule.Allow("c 1:3 rw"), DeviceRule.Deny("b 8:* w")])).Listing);

    [Fact]
    public void The_bytes_are_the_kernels()
    {
        // r0 = 0; exit, after loading type, access, major and minor
        Assert.Equal(
            "6112000000000000" + "54020000ffff0000" + "6113000000000000" + "7403000010000000" + "6114040000000000" + "6115080000000000" + "b700000000000000" + "9500000000000000",
            Convert.ToHexStringLower(DeviceProgram.Assemble([])));
    }

    [Fact]
    public void Nothing_before_a_rule_about_everything_is_assembled()
    {
        DeviceRule[] rules = [DeviceRule.Allow("c 1:3 rw"), DeviceRule.Allow("a"), DeviceRule.Deny("b *:* rwm")];
        Assert.Equal(DeviceProgram.Assemble(rules[1..]), DeviceProgram.Assemble(rules));
        Assert.Equal([.. Beginning, "r0 = 1", "exit"], new BpfMachine(DeviceProgram.Assemble(rules[..2])).Listing);
    }

    [Fact]
    public void A_denial_of_writing_stops_who_opens_for_both()
    {
        var machine = new BpfMachine(DeviceProgram.Assemble([DeviceRule.Allow("a"), DeviceRule.Deny("c 1:7 w")]));
        Assert.Equal(1ul, machine.Run(DeviceType.Char, DeviceAccess.Read, 1, 7));
        Assert.Equal(0ul, machine.Run(DeviceType.Char, DeviceAccess.Read | DeviceAccess.Write, 1, 7));
        Assert.Equal(1ul, machine.Run(DeviceType.Block, DeviceAccess.Read | DeviceAccess.Write, 1, 7));
    }

    [Fact]
    public void The_program_means_what_the_list_means() => DeviceLists.Any.Sample(
        rules =>
        {
            var machine = new BpfMachine(DeviceProgram.Assemble(rules));
            Assert.Empty(machine.Unreached());
            foreach (var (type, major, minor, access) in DeviceLists.Questions)
            {
                ulong answer = machine.Run(type, access, (uint)major, (uint)minor);
                Assert.True(answer == (DeviceRules.Allow(rules, type, major, minor, access) ? 1ul : 0), $"{type} {major}:{minor} {access} with {DeviceLists.Text(rules)}");
            }
        },
        iter: 3000);
}
