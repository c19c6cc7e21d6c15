using Isolation.Linux;

namespace Isolation.Tests;

/// <summary>Profiles of others are read as they mean them.</summary>
public sealed class SeccompProfileTests
{
    [Fact]
    public void Dockers_own_allows_what_the_default_does()
    {
        string path = SourceTree.PathOf("../shared/oci/seccomp/docker-default.json");
        Assert.SkipUnless(File.Exists(path), "there is no copy of Docker's profile");
        SeccompPolicy docker = SeccompPolicy.FromJson(File.ReadAllText(path));
        HashSet<string> differ = [];
        foreach (string name in SystemCallTable.Names)
        {
            foreach (ulong argument in (ulong[])[0, 1, 8, 38, 39, 40, 41, 0x20000, 0x7e020000, 0x10000000, 0xffffffff])
            {
                foreach (CapabilitySet capabilities in (CapabilitySet[])[CapabilitySet.Default, CapabilitySet.None])
                    if (docker.Decide(name, [argument, 0, 0, 0, 0, 0], capabilities) != SeccompPolicy.Default.Decide(name, [argument, 0, 0, 0, 0, 0], capabilities)) differ.Add(name);
            }
        }

        Assert.Equal([], differ.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void That_of_the_runtime_specification_is_read_in_full()
    {
        SeccompPolicy policy = SeccompPolicy.FromJson("""
            { "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38, "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_S390X"],
              "syscalls": [
                { "names": ["getcwd", "of_tomorrow"], "action": "SCMP_ACT_ERRNO", "errnoRet": 2 },
                { "names": ["clone"], "action": "SCMP_ACT_ALLOW", "args": [{ "index": 0, "value": 2114060288, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ" }] },
                { "names": ["ioctl"], "action": "SCMP_ACT_TRACE", "args": [{ "index": 1, "value": 5, "op": "SCMP_CMP_GE" }, { "index": 2, "value": 7, "op": "SCMP_CMP_NE" }] },
                { "names": ["of_tomorrow"], "action": "SCMP_ACT_ALLOW" } ] }
            """);

        Assert.Equal(SeccompAction.Fail(Errno.ENOSYS), policy.DefaultAction);
        Assert.Equal([SeccompArchitecture.X64], policy.Architectures);
        Assert.Equal(SeccompAction.Fail(Errno.ENOENT), policy.Decide("getcwd", new ulong[6], default));
        Assert.Equal(SeccompAction.Allow, policy.Decide("clone", [0x11, 0, 0, 0, 0, 0], default));
        Assert.Equal(SeccompAction.Fail(Errno.ENOSYS), policy.Decide("clone", [0x10000011, 0, 0, 0, 0, 0], default));
        Assert.Equal(SeccompAction.Trace(1), policy.Decide("ioctl", [0, 5, 8, 0, 0, 0], default));
        Assert.Equal(SeccompAction.Fail(Errno.ENOSYS), policy.Decide("ioctl", [0, 5, 7, 0, 0, 0], default));
        Assert.Equal(3, policy.Rules.Length);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"defaultAction":"SCMP_ACT_MAYBE"}""")]
    [InlineData("""{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":5000}""")]
    [InlineData("""{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"]}]}""")]
    [InlineData("""{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],"action":"SCMP_ACT_KILL","args":[{"index":6,"value":0,"op":"SCMP_CMP_EQ"}]}]}""")]
    [InlineData("""{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],"action":"SCMP_ACT_KILL","args":[{"index":0,"value":-1,"op":"SCMP_CMP_EQ"}]}]}""")]
    [InlineData("""{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":[1],"action":"SCMP_ACT_KILL"}]}""")]
    public void What_is_none_is_refused(string json) => Assert.Throws<FormatException>(() => SeccompPolicy.FromJson(json));
}
