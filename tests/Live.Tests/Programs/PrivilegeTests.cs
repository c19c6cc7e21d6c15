using System.Globalization;

namespace Isolation.Live.Tests;

/// <summary>What the program may do.</summary>
public sealed class PrivilegeTests
{
    private static readonly Capability[] Default =
    [
        Capability.Chown, Capability.DacOverride, Capability.Fowner, Capability.Fsetid, Capability.Kill, Capability.Setgid, Capability.Setuid,
        Capability.Setpcap, Capability.NetBindService, Capability.NetRaw, Capability.SysChroot, Capability.AuditWrite, Capability.Setfcap,
    ];

    [Fact]
    public async Task Root_has_the_default_set_and_nothing_to_inherit() =>
        await AssertSetsAsync(_ => { }, bounding: Bits(Default), effective: Bits(Default));

    [Fact]
    public async Task One_can_be_added_and_one_taken_away()
    {
        ulong bits = Bits([.. Default.Except([Capability.Chown]), Capability.SysAdmin]);

        await AssertSetsAsync(builder => builder.AddCapability(Capability.SysAdmin).DropCapability(Capability.Chown), bits, bits);
    }

    [Fact]
    public async Task All_can_be_taken_away() => await AssertSetsAsync(builder => builder.DropAllCapabilities(), 0, 0);

    [Fact]
    public async Task Who_is_not_root_has_none()
    {
        uint user = HostFactsReader.Current.UserId, group = HostFactsReader.Current.GroupId;

        await AssertSetsAsync(builder => builder.WithUser(5, 5).WithUserMapping(new IdMapping(5, user, 1)).WithGroupMapping(new IdMapping(5, group, 1)), Bits(Default), 0);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Who_is_not_root_has_what_is_said_to_stay_and_passes_it_on(bool noNewPrivileges)
    {
        uint user = HostFactsReader.Current.UserId, group = HostFactsReader.Current.GroupId;
        ContainerBuilder builder = Sandbox.HostShell("cat /proc/self/status").WithUser(5, 5).WithUserMapping(new IdMapping(5, user, 1)).WithGroupMapping(new IdMapping(5, group, 1))
            .DropAllCapabilities().AddAmbientCapability(Capability.NetBindService).AddAmbientCapability(Capability.NetAdmin).DropCapability(Capability.NetAdmin);
        if (!noNewPrivileges) builder.AllowNewPrivileges();

        Dictionary<string, string> status = Processes.Status(await builder.OutputAsync());

        Assert.All((string[])["CapBnd", "CapEff", "CapPrm", "CapInh", "CapAmb"], set => Assert.Equal(Bits([Capability.NetBindService]), ulong.Parse(status[set], NumberStyles.HexNumber, CultureInfo.InvariantCulture)));
        Assert.Equal("2", status["Seccomp"]);
    }

    [Fact]
    public async Task A_capability_that_the_kernel_does_not_know_is_an_error()
    {
        ContainerException exception = await Sandbox.Host("true").AddCapability((Capability)62).RefusalAsync();

        Assert.Equal(ContainerErrorReason.SecurityUnavailable, exception.Reason);
        Assert.Contains("62", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_capability_gives_nothing_unless_new_privileges_are_allowed_and_then_what_is_granted()
    {
        Assert.SkipUnless(File.Exists("/usr/sbin/setcap"), "setcap is not there (package libcap2-bin)");
        Assert.SkipUnless(Lane.IsRoot, "one id maps nobody who is not root, and root has the capability anyway");
        const string Script = "cp /bin/grep /etc/my-grep && /usr/sbin/setcap cap_net_raw,cap_chown+ep /etc/my-grep && setpriv --reuid 1000 --regid 1000 --clear-groups sh -c '/etc/my-grep CapEff /proc/self/status'";

        Assert.Equal("CapEff:\t0000000000000000", await Sandbox.HostShell(Script).OutputAsync());
        Assert.Equal(FormattableString.Invariant($"CapEff:\t{Bits([Capability.NetRaw, Capability.Chown]):x16}"), await Sandbox.HostShell(Script).AllowNewPrivileges().OutputAsync());
    }

    [Fact]
    public async Task Signals_have_their_default_meaning_and_none_is_blocked()
    {
        Dictionary<string, string> status = await StatusAsync(_ => { });

        Assert.All((string[])["SigIgn", "SigBlk", "SigCgt"], set => Assert.Equal(0UL, ulong.Parse(status[set], NumberStyles.HexNumber, CultureInfo.InvariantCulture)));
    }

    [Fact]
    public async Task New_privileges_are_forbidden_unless_allowed()
    {
        Assert.Equal("1", (await StatusAsync(_ => { }))["NoNewPrivs"]);
        Assert.Equal("0", (await StatusAsync(builder => builder.AllowNewPrivileges()))["NoNewPrivs"]);
    }

    [Fact]
    public async Task A_set_user_id_program_gains_nothing()
    {
        ContainerBuilder Builder() => Sandbox.HostShell("cp /usr/bin/id /etc/my-id && chmod 4755 /etc/my-id && setpriv --reuid 1000 --regid 1000 --clear-groups /etc/my-id -u");
        if (!Lane.IsRoot)
        {
            Assert.SkipUnless(File.Exists("/etc/subuid") && File.ReadAllText("/etc/subuid").Contains(Environment.UserName + ":", StringComparison.Ordinal), "the user has no subordinate ids");
            Assert.Equal("1000", await Builder().WithSubordinateIds().OutputAsync());
            return;
        }

        Assert.Equal("1000", await Builder().OutputAsync());
        Assert.Equal("0", await Builder().AllowNewPrivileges().OutputAsync());
    }

    [Fact]
    public async Task It_leads_a_session_of_its_own()
    {
        string[] fields = (await Sandbox.Host("cat", "/proc/self/stat").OutputAsync()).Split(' ');

        Assert.Equal(["1", "1", "1"], [fields[0], fields[4], fields[5]]); // pid, process group, session
        Assert.Equal("0", fields[6]); // no terminal
    }

    [Theory]
    [InlineData("mount -t tmpfs x /tmp")]
    [InlineData("hostname x")]
    [InlineData("chroot / unshare --mount true")]
    [InlineData("ip link set lo down")]
    public async Task What_takes_a_capability_that_is_not_given_is_refused(string command)
    {
        ContainerResult result = await Sandbox.HostShell(command).ResultAsync();

        Assert.False(result.Succeeded);
        Assert.Matches("not permitted|permission denied|must be superuser|must be root", result.StandardError);
    }

    private static async Task AssertSetsAsync(Action<ContainerBuilder> configure, ulong bounding, ulong effective)
    {
        Dictionary<string, string> status = await StatusAsync(configure);
        ulong Set(string name) => ulong.Parse(status[name], NumberStyles.HexNumber, CultureInfo.InvariantCulture);

        Assert.Equal(bounding, Set("CapBnd"));
        Assert.Equal(effective, Set("CapEff"));
        Assert.Equal(effective, Set("CapPrm"));
        Assert.Equal(0UL, Set("CapInh"));
        Assert.Equal(0UL, Set("CapAmb"));
    }

    private static async Task<Dictionary<string, string>> StatusAsync(Action<ContainerBuilder> configure)
    {
        ContainerBuilder builder = Sandbox.Host("cat", "/proc/self/status");
        configure(builder);
        return Processes.Status(await builder.OutputAsync());
    }

    private static ulong Bits(IEnumerable<Capability> capabilities) => capabilities.Aggregate(0UL, (bits, capability) => bits | 1UL << (int)capability);
}
