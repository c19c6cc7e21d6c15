using Isolation.Launch;
using Isolation.Linux;

namespace Isolation.Tests;

public class EnforcementReportTests
{
    [Fact]
    public void Says_of_each_namespace_whether_it_is_new_joined_shared_or_not_there()
    {
        ContainerSpec spec = new()
        {
            Command = ["sh"], Root = new HostRoot(), NoNewPrivileges = false,
            Namespaces = new() { Network = NamespaceSource.Host, Ipc = NamespaceSource.FromPath("/run/ns/ipc") },
        };
        CompiledLaunch launch = CompiledLaunch.For(new(spec, new HostFacts { Abi = TargetAbi.Current, HasTimeNamespaces = false }), null);
        Dictionary<string, EnforcementEntry> report = EnforcementReport.Of(launch, [0], null, null, null).ToDictionary(entry => entry.Feature);
        Assert.Equal((EnforcementState.Enforced, "new"), (report["pid namespace"].State, report["pid namespace"].Detail));
        Assert.Equal((EnforcementState.Enforced, "path /run/ns/ipc"), (report["ipc namespace"].State, report["ipc namespace"].Detail));
        Assert.Equal(EnforcementState.Shared, report["network namespace"].State);
        Assert.Equal(EnforcementState.Fallback, report["time namespace"].State);
        Assert.Equal(EnforcementState.Shared, report["no_new_privs"].State);
        Assert.Equal((EnforcementState.Fallback, launch.Notes[0].Detail), (report[launch.Notes[0].Feature].State, report[launch.Notes[0].Feature].Detail));
    }
}
