using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Isolation.Launch;
using Isolation.UnionFs;

namespace Isolation.Tests;

/// <summary>
/// Whole plans for hosts that never change. A plan that changes on purpose is written anew with
/// ISOLATION_REWRITE_GOLDEN=1, and the change is reviewed with the code that made it.
/// </summary>
public partial class GoldenPlanTests
{
    private const string Rewrite = "ISOLATION_REWRITE_GOLDEN";

    private static readonly HostFacts Root = new()
    {
        MaskedPaths = ImmutableSortedDictionary.Create<string, bool>(StringComparer.Ordinal).Add("proc/kcore", false).Add("sys/firmware", true),
        ReadOnlyPaths = ["proc/sys"],
        ResolvConf = "nameserver 192.0.2.53\n",
    };

    private static readonly HostFacts User = Root with
    {
        UserId = 1000, GroupId = 1000, Capabilities = CapabilitySet.None,
        Mounts = [new("/", "ext4", true), new("/proc", "proc", true), new("/home/shared", "nfs", true)],
        RootEntries =
        [
            new("bin", HostEntryKind.SymbolicLink, "usr/bin", 0x1FF), new("etc", HostEntryKind.Directory, null, 0x1ED), new("home", HostEntryKind.Directory, null, 0x1ED),
            new("home/user", HostEntryKind.Directory, null, 0x1C0), new("mnt", HostEntryKind.EmptyDirectory, null, 0x1ED), new("proc", HostEntryKind.Directory, null, 0x16D), new("usr", HostEntryKind.Directory, null, 0x1ED),
        ],
    };

    private static readonly (string Name, PlanInputs Inputs)[] Plans =
    [
        ("root-from-directory", new(new ContainerSpec { Command = ["sh", "-c", "id"], Root = new DirectoryRoot("/srv/root", RootAccess.ReadOnly) }, Root) { MissingTargets = ["run", "etc/hostname"] }),
        ("user-from-host", new(new ContainerSpec
        {
            Command = ["/bin/true"], Root = new HostRoot(), HostName = "box", Mounts = [new BindMount("/home/user/data", "/data") { Options = new() { ReadOnly = true } }],
        }, User)),
        ("joined-namespaces", new(new ContainerSpec
        {
            Command = ["/bin/true"], WorkingDirectory = "/place",
            Namespaces = new()
            {
                User = NamespaceSource.OfProcess(77), Pid = NamespaceSource.OfProcess(77), Network = NamespaceSource.OfProcess(77), Ipc = NamespaceSource.OfProcess(77),
                Mount = NamespaceSource.OfProcess(77), Uts = NamespaceSource.OfProcess(77), Cgroup = NamespaceSource.OfProcess(77), Time = NamespaceSource.OfProcess(77),
            },
        }, Root) { Identity = new(1000, 1000, [10], "/home/user") }),
        ("init-and-terminal", new(new ContainerSpec
        {
            Command = ["/bin/true"], Root = new HostRoot(), Init = true, Terminal = new(80, 25),
            Descriptors = ImmutableSortedDictionary.Create<int, Microsoft.Win32.SafeHandles.SafeFileHandle>().Add(5, new()),
            ResourceLimits = ImmutableSortedDictionary.Create<ResourceLimitKind, ResourceLimit>().Add(ResourceLimitKind.OpenFiles, new(64, 64)), Processors = [0, 1],
        }, User)),
        ("old-kernel-from-directory", new(new ContainerSpec
        {
            Command = ["/bin/true"], Root = new DirectoryRoot("/srv/root", RootAccess.ReadOnly), Namespaces = new() { User = NamespaceSource.Host }, MaskedPaths = ["/secret"],
            Descriptors = ImmutableSortedDictionary.Create<int, Microsoft.Win32.SafeHandles.SafeFileHandle>().Add(5, new()),
            Mounts = [new BindMount("/data", "/data/in") { Options = new() { ReadOnly = true } }],
        }, Root with { HasOpenAt2 = false, HasMountSetAttr = false, HasCloseRangeCloexec = false, HasTimeNamespaces = false })),
        ("root-from-layers", new(new ContainerSpec { Command = ["/bin/true"], Root = new LayersRoot(["/srv/one", "/srv/two:2", "/srv/three"], RootAccess.Layered) }, Root) { MissingTargets = ["run"] }),
        ("root-from-a-union-of-the-host", new(new ContainerSpec { Command = ["/bin/true"], Root = new LayersRoot(["/srv/one", "/srv/two"], RootAccess.ReadOnly) }, Root)
        {
            Way = new(UnionDriver.Overlay, RootPlace.Detached, "by the host"), MissingTargets = ["run", "etc/hosts"],
        }),
        ("root-from-a-kept-layer", new(new ContainerSpec { Command = ["/bin/true"], Root = new LayersRoot(["/srv/one", "/srv/two"], RootAccess.Layered), LayerDirectory = "/srv/kept" }, Root)),
        ("old-kernel-from-layers", new(new ContainerSpec
        {
            Command = ["/bin/true"], Root = new LayersRoot([.. Enumerable.Range(1, 100).Select(i => $"/srv/layer{i}")], RootAccess.Layered), Namespaces = new() { User = NamespaceSource.Host },
        }, Root with { HasLowerDirAppend = false, HasMountSetAttr = false })),
    ];

    public static TheoryData<string> Names => [.. Plans.Select(plan => plan.Name)];

    [Theory, MemberData(nameof(Names))]
    public void The_plan_is_the_one_that_was_reviewed(string name)
    {
        string path = SourceTree.PathOf($"tests/Isolation.Tests/Golden/{name}.txt");
        string plan = Numbers().Replace(LaunchPlanner.Plan(Plans.Single(plan => plan.Name == name).Inputs).ToString(), "    ");
        if (Environment.GetEnvironmentVariable(Rewrite) == "1") File.WriteAllText(path, plan);
        string golden = File.Exists(path) ? File.ReadAllText(path) : "";
        Assert.True(golden == plan, $"The plan differs from Golden/{name}.txt ('-' is the file, '+' is now). If that is meant, run again with {Rewrite}=1.\n{LineDifference.Of(golden, plan)}");
    }

    // A step that is added changes the numbers of all that follow, which nobody wants to review.
    [GeneratedRegex(@"^ +\d+  ", RegexOptions.Multiline)]
    private static partial Regex Numbers();
}
