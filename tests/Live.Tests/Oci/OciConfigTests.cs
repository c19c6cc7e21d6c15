namespace Isolation.Live.Tests;

/// <summary>Configurations that are none: the place, and why.</summary>
public sealed class OciConfigTests
{
    [Theory]
    [InlineData("{]", "$: this is no JSON")]
    [InlineData("""{"root":{"path":"r"}}""", "$: 'ociVersion' is missing")]
    [InlineData("""{"ociVersion":"2.0.0","root":{"path":"r"}}""", "$.ociVersion: '2.0.0' is no version")]
    [InlineData("""{"ociVersion":"1.3.0"}""", "$: 'root' is missing")]
    [InlineData("""{"ociVersion":"1.3.0","root":{"path":5}}""", "$.root.path: it is to be a string, and is a number")]
    [InlineData("""{"ociVersion":"1.3.0","root":{"path":"r"},"process":{"args":["x"]}}""", "$.process: 'cwd' is missing")]
    [InlineData("""{"ociVersion":"1.3.0","root":{"path":"r"},"process":{"cwd":"here","args":["x"]}}""", "$.process.cwd: 'here' is to be an absolute path")]
    [InlineData("""{"ociVersion":"1.3.0","root":{"path":"r"},"process":{"cwd":"/","args":["x",7]}}""", "$.process.args[1]: it is to be a string")]
    [InlineData("""{"ociVersion":"1.3.0","root":{"path":"r"},"process":{"cwd":"/","rlimits":[{"type":"RLIMIT_X","soft":1,"hard":1}]}}""", "$.process.rlimits[0].type: 'RLIMIT_X' is no limit")]
    [InlineData("""{"ociVersion":"1.3.0","root":{"path":"r"},"process":{"cwd":"/","rlimits":[{"type":"RLIMIT_CPU","soft":2,"hard":1}]}}""", "$.process.rlimits[0].soft: 2 is above")]
    [InlineData("""{"ociVersion":"1.3.0","root":{"path":"r"},"linux":{"namespaces":[{"type":"moon"}]}}""", "$.linux.namespaces[0].type: 'moon' is no namespace")]
    [InlineData("""{"ociVersion":"1.3.0","root":{"path":"r"},"linux":{"namespaces":[{"type":"pid"},{"type":"pid"}]}}""", "$.linux.namespaces[1].type: 'pid' is there twice")]
    [InlineData("""{"ociVersion":"1.3.0","root":{"path":"r"},"linux":{"resources":{"hugepageLimits":[{"limit":1,"pageSize":"64kB"}]}}}""", "$.linux.resources: ")]
    [InlineData("""{"ociVersion":"1.3.0","root":{"path":"r"},"linux":{"resources":{"rdma":{"a":{"hcaHandles":"x"}}}}}""", "$.linux.resources: ")]
    [InlineData("""{"ociVersion":"1.3.0","root":{"path":"r"},"linux":{"netDevices":{"eth0":{"name":23}}}}""", "$.linux.netDevices.eth0.name: it is to be a string")]
    [InlineData("""{"ociVersion":"1.3.0","root":{"path":"r"},"linux":{"namespaces":[{"type":"network"}],"netDevices":{"a/b":{}}}}""", "$.linux.netDevices.a/b: 'a/b' is no name of an interface")]
    [InlineData("""{"ociVersion":"1.3.0","root":{"path":"r"},"linux":{"namespaces":[{"type":"network"}],"netDevices":{"eth0":{"name":"sixteen-letters!"}}}}""", "$.linux.netDevices.eth0: 'sixteen-letters!' is no name")]
    [InlineData("""{"ociVersion":"1.3.0","root":{"path":"r"},"linux":{"namespaces":[{"type":"network"}],"netDevices":{"a":{"name":"c"},"b":{"name":"c"}}}}""", "$.linux.netDevices.b: two interfaces are to be 'c'")]
    [InlineData("""{"ociVersion":"1.3.0","root":{"path":"r"},"linux":{"sysctl":{"kernel.panic":"1"}}}""", "$.linux.sysctl.kernel.panic: ")]
    [InlineData("""{"ociVersion":"1.3.0","root":{"path":"r"},"linux":{"rootfsPropagation":"up"}}""", "$.linux.rootfsPropagation: 'up' is no propagation")]
    [InlineData("""{"ociVersion":"1.3.0","root":{"path":"r"},"mounts":[{"destination":"/x"}]}""", "$.mounts[0]: a mount that is no bind needs a type")]
    [InlineData("""{"ociVersion":"1.3.0","root":{"path":"r"},"hooks":{"poststop":[{"path":"x"}]}}""", "$.hooks.poststop[0].path: 'x' is to be an absolute path")]
    [InlineData("""{"ociVersion":"1.3.0","root":{"path":"r"},"freebsd":{"jail":{"vnet":"disable"}}}""", "$.freebsd: this is a configuration for another system")]
    public void What_is_wrong_is_said_with_its_place(string json, string expected) =>
        Assert.StartsWith(expected, Assert.Throws<FormatException>(() => OciConfig.Read(System.Text.Encoding.UTF8.GetBytes(json), "/bundle")).Message, StringComparison.Ordinal);
}
