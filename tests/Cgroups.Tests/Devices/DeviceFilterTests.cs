using CsCheck;
using Isolation.Linux;

namespace Isolation.Cgroups.Tests;

/// <summary>Programs about devices in the real kernel, on groups of a v2 hierarchy.</summary>
public sealed class DeviceFilterTests
{
    [Fact]
    public void A_denied_device_cannot_be_opened_and_an_allowed_one_can()
    {
        using TestGroup group = TestGroup.OfV2();
        using var user = new DeviceUser(group);
        Assert.True(user.May("r", "/dev/zero"));

        Apply(group, DeviceRule.Allow("c 1:3 rw"), DeviceRule.Allow("c 1:7 r"));
        Assert.True(user.May("rw", "/dev/null"));
        Assert.True(user.May("r", "/dev/full"));
        Assert.False(user.May("w", "/dev/full"));
        Assert.False(user.May("rw", "/dev/full"));
        Assert.False(user.May("r", "/dev/zero"));
        Assert.False(user.May("m", $"/tmp/isolation-dev-{Environment.ProcessId}"));
    }

    [Fact]
    public void The_default_lets_make_what_it_does_not_let_open()
    {
        using TestGroup group = TestGroup.OfV2();
        using var user = new DeviceUser(group);
        Apply(group, [.. DeviceRules.Default, DeviceRule.Deny("c 1:7 rw")]);
        Assert.True(user.May("r", "/dev/zero"));
        Assert.True(user.May("r", "/dev/urandom"));
        Assert.False(user.May("r", "/dev/full"));
        Assert.False(user.May("r", "/dev/kmsg"));
        Assert.True(user.May("m", $"/tmp/isolation-dev-default-{Environment.ProcessId}"));
    }

    [Fact]
    public void An_update_takes_the_place_of_the_rules_before()
    {
        using TestGroup group = TestGroup.OfV2();
        using var user = new DeviceUser(group);
        Apply(group, DeviceRule.Allow("c 1:3 rw"));
        uint first = Assert.Single(Programs(group));
        Apply(group, DeviceRule.Allow("a"), DeviceRule.Deny("c 1:5 w"));
        uint second = Assert.Single(Programs(group));
        Assert.NotEqual(first, second);
        Assert.True(user.May("r", "/dev/zero"));
        Assert.False(user.May("rw", "/dev/zero"));

        Assert.True(DeviceFilter.Remove(group.Descriptor, group.Path));
        Assert.Empty(Programs(group));
        Assert.True(user.May("rw", "/dev/zero"));
        Assert.False(DeviceFilter.Remove(group.Descriptor, group.Path));
    }

    [Fact]
    public void Groups_beneath_are_bound_by_both()
    {
        using TestGroup parent = TestGroup.OfV2();
        using TestGroup child = TestGroup.Below(parent);
        using var user = new DeviceUser(child);
        Apply(parent, DeviceRule.Allow("a"), DeviceRule.Deny("c 1:5 rwm"));
        Apply(child, DeviceRule.Allow("c *:* rwm"), DeviceRule.Deny("c 1:7 w"));
        Assert.False(user.May("r", "/dev/zero"));
        Assert.True(user.May("r", "/dev/full"));
        Assert.False(user.May("w", "/dev/full"));
        Assert.True(user.May("rw", "/dev/null"));
    }

    [Fact]
    public void A_program_of_somebody_else_stays()
    {
        using TestGroup group = TestGroup.OfV2();
        using FileDescriptor other = Load(DeviceProgram.Assemble([DeviceRule.Allow("a")]), "other");
        Assert.Equal(0, BpfCalls.TryAttach(other, group.Descriptor, Abi.BPF_CGROUP_DEVICE, Abi.BPF_F_ALLOW_MULTI));
        uint foreign = Assert.Single(Programs(group));
        Apply(group, DeviceRule.Allow("c 1:3 rw"));
        Apply(group, DeviceRule.Allow("c 1:5 rw"));
        Assert.Equal(2, Programs(group).Length);
        Assert.True(DeviceFilter.Remove(group.Descriptor, group.Path));
        Assert.Equal([foreign], Programs(group));
    }

    [Fact]
    public void The_verifier_accepts_whatever_is_assembled()
    {
        using TestGroup group = TestGroup.OfV2();
        DeviceLists.Any.Sample(rules => Load(DeviceProgram.Assemble(rules), "isolation_test").Dispose(), iter: 200, threads: 1);
        Load(DeviceProgram.Assemble([.. Enumerable.Range(0, 400).Select(i => DeviceRule.Allow(DeviceType.Char, i, i, DeviceAccess.Read))]), "isolation_test").Dispose();
    }

    [Fact]
    public void The_verifiers_words_are_in_the_message()
    {
        using TestGroup group = TestGroup.OfV2();
        byte[] program = BpfInstruction.ToBytes([BpfInstruction.Exit()]);
        nint result = BpfCalls.TryLoad(Abi.BPF_PROG_TYPE_CGROUP_DEVICE, Abi.BPF_CGROUP_DEVICE, program, "isolation_test", out string log);
        Assert.Equal(Errno.EACCES, Syscall.ErrnoOf(result));
        CgroupException failure = DeviceFilterFailure.OfLoading(group.Path, result, program.Length, log);
        Assert.Equal(CgroupErrorReason.Failed, failure.Reason);
        Assert.Contains("R0 !read_ok", failure.Message, StringComparison.Ordinal);
        Assert.Contains(group.Path, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Who_has_no_privilege_is_told_which()
    {
        using TestGroup group = TestGroup.OfV2();
        var refusal = Assert.IsType<CgroupException>(WithoutCapabilities(() => Apply(group, DeviceRule.Allow("a"))));
        Assert.Equal(CgroupErrorReason.NotPermitted, refusal.Reason);
        Assert.Equal(Errno.EPERM, refusal.Errno);
        Assert.Contains("CAP_BPF and CAP_NET_ADMIN", refusal.Remedy, StringComparison.Ordinal);
        refusal = Assert.IsType<CgroupException>(WithoutCapabilities(() => DeviceFilter.Remove(group.Descriptor, group.Path)));
        Assert.Equal(CgroupErrorReason.NotPermitted, refusal.Reason);
    }

    [Fact]
    public void A_directory_that_is_no_group_is_refused()
    {
        TestGroup.OfV2().Dispose();
        using FileDescriptor directory = FileDescriptor.Open("/tmp", Abi.O_RDONLY);
        var refusal = Assert.Throws<CgroupException>(() => DeviceFilter.Apply(directory, "/tmp", DeviceRules.Default));
        Assert.Equal(CgroupErrorReason.NotSupported, refusal.Reason);
    }

    [Fact]
    public void A_removed_group_is_said_to_be_gone()
    {
        using TestGroup group = TestGroup.OfV2();
        Directory.Delete(group.Path);
        var refusal = Assert.Throws<CgroupException>(() => DeviceFilter.Apply(group.Descriptor, group.Path, DeviceRules.Default));
        Assert.Equal(CgroupErrorReason.Gone, refusal.Reason);
    }

    private static void Apply(TestGroup group, params DeviceRule[] rules) => DeviceFilter.Apply(group.Descriptor, group.Path, rules);

    private static uint[] Programs(TestGroup group)
    {
        Assert.Equal(0, BpfCalls.TryQuery(group.Descriptor, Abi.BPF_CGROUP_DEVICE, out uint[] programs));
        return programs;
    }

    private static FileDescriptor Load(byte[] program, string name)
    {
        nint result = BpfCalls.TryLoad(Abi.BPF_PROG_TYPE_CGROUP_DEVICE, Abi.BPF_CGROUP_DEVICE, program, name, out string log);
        Assert.True(result >= 0, $"{result}: {log}");
        return new FileDescriptor((int)result);
    }

    /// <summary>Capabilities belong to a thread, so one that ends afterwards gives them up.</summary>
    private static Exception? WithoutCapabilities(Action action)
    {
        Exception? thrown = null;
        var thread = new Thread(() =>
        {
            DropCapabilities();
            thrown = Record.Exception(action);
        });
        thread.Start();
        thread.Join();
        return thrown;
    }

    private static unsafe void DropCapabilities()
    {
        var header = new __user_cap_header_struct { version = Abi._LINUX_CAPABILITY_VERSION_3 };
        var data = stackalloc __user_cap_data_struct[2];
        Syscall.Check(Syscall.Invoke(SystemCall.capset, (nint)(&header), (nint)data), "capset");
    }
}
