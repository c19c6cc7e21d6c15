using Isolation.Launch;

namespace Isolation.Tests;

/// <summary>What of the host's files a plan is made from.</summary>
public sealed class LaunchInputsTests : IDisposable
{
    private readonly TemporaryDirectory _root = new();

    [Fact]
    public void Mount_points_that_the_root_lacks_are_found()
    {
        foreach (string name in new[] { "proc", "dev", "tmp", "etc", "data" }) Directory.CreateDirectory(_root[name]);
        _root.Write("etc/hosts", "");
        Assert.Equal(["etc/hostname", "etc/resolv.conf", "run", "srv/x", "sys"], Missing(Fine().WithTmpfs("/data").WithTmpfs("/srv/x")));
    }

    [Fact]
    public void What_another_mount_covers_or_nobody_mounts_is_not_missing() =>
        Assert.Equal(["data", "dev", "etc", "sys"], Missing(Fine().WithTmpfs("/data").WithTmpfs("/data/in").WithTmpfs("/etc").WithTmpfs("/dev/x").WithTmpSize(0).WithRunSize(0).WithProc(ProcMount.None)));

    [Fact]
    public void A_link_that_leads_outside_is_read_inside()
    {
        Directory.CreateSymbolicLink(_root["srv"], "/usr"); // on the host it has /usr/bin; the root has no /usr
        Assert.Contains("srv/bin", Missing(Fine().WithTmpfs("/srv/bin")));
    }

    [Fact]
    public void Sources_that_are_files_are_told_from_directories_and_missing_ones_are_named()
    {
        string file = _root.Write("file", "");
        Assert.Equal([file], LaunchInputs.Gather(Fine().WithBind(file, "/f").WithBind(_root.Path, "/d").Build()).FileSources);
        FileNotFoundException exception = Assert.Throws<FileNotFoundException>(() => LaunchInputs.Gather(Fine().WithBind("/nowhere/at/all", "/data").Build()));
        Assert.Contains("'/nowhere/at/all'", exception.Message, StringComparison.Ordinal);
        Assert.Contains("'/data'", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_id_that_is_not_mapped_is_refused_before_anything_exists()
    {
        ContainerException exception = Assert.Throws<ContainerException>(() =>
            LaunchInputs.Gather(Fine().WithUser("5:0").WithUserMapping(new IdMapping(0, 1, 2)).WithGroupMapping(new IdMapping(0, 1, 2)).Build()));
        Assert.Equal(ContainerErrorReason.IdNotMapped, exception.Reason);
        Assert.Contains("user id 5", exception.Message, StringComparison.Ordinal);
        Assert.Contains("0 1 2", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Inputs_match_while_nothing_that_a_plan_depends_on_has_changed()
    {
        ContainerSpec spec = Fine().Build();
        PlanInputs first = LaunchInputs.Gather(spec);
        Assert.True(first.Matches(LaunchInputs.Gather(spec)));
        Assert.False(first.Matches(LaunchInputs.Gather(spec with { })));
        Directory.CreateDirectory(_root["proc"]);
        Assert.False(first.Matches(LaunchInputs.Gather(spec)));
    }

    public void Dispose() => _root.Dispose();

    private ContainerBuilder Fine() => new ContainerBuilder().FromDirectory(_root.Path).WithCommand("sh");

    private static IEnumerable<string> Missing(ContainerBuilder builder) => LaunchInputs.Gather(builder.Build()).MissingTargets.Order(StringComparer.Ordinal);
}
