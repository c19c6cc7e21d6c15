using System.Diagnostics;
using System.Globalization;
using Isolation.Cgroups;
using Isolation.Nested;

namespace Isolation.Live.Tests;

/// <summary>What others do to a group, and where there can be none.</summary>
[Trait("Lane", "VM")]
public sealed class CgroupHardshipTests
{
    [Fact]
    public async Task Very_many_at_once_are_made_and_removed()
    {
        CgroupScope.Requires(CgroupController.Pids);
        int count = Environment.GetEnvironmentVariable("ISOLATION_TEST_KERNEL") is null ? 1000 : 200; // an emulated processor is slower
        string prefix = CgroupScope.NewName();
        Cgroup[] groups = new Cgroup[count];

        await Parallel.ForAsync(0, count, Sandbox.Token, (number, _) =>
        {
            groups[number] = Cgroup.Create(string.Create(CultureInfo.InvariantCulture, $"{prefix}-{number}"), new() { Pids = 10 + number });
            return ValueTask.CompletedTask;
        });
        string parent = Path.GetDirectoryName(groups[0].Directories.Single())!;
        Assert.Equal(count, Directory.GetDirectories(parent, prefix + "-*").Length);
        for (int number = 0; number < count; number += 100) Assert.Equal(10 + number, groups[number].ReadStats().Pids.Limit);

        await Parallel.ForEachAsync(groups, Sandbox.Token, async (group, _) => await group.DisposeAsync());
        Assert.Empty(Directory.GetDirectories(parent, prefix + "-*"));
    }

    [Fact]
    public async Task One_that_somebody_else_has_removed_is_gone_and_is_disposed_in_peace()
    {
        await using CgroupScope scope = CgroupScope.Create(new() { Pids = 5 }, CgroupController.Pids);
        Directory.Delete(scope.Group.Directories.Single());

        Assert.Equal(CgroupErrorReason.Gone, Assert.Throws<CgroupException>(() => scope.Group.Update(new() { Pids = 6 })).Reason);
        Assert.Equal(CgroupErrorReason.Gone, Assert.Throws<CgroupException>(() => scope.Group.Add(0)).Reason);
        Assert.Equal(CgroupErrorReason.Gone, Assert.Throws<CgroupException>(() => scope.Group.ReadStats()).Reason);
    }

    [Fact]
    public async Task One_with_a_process_stays_until_that_is_killed()
    {
        await using CgroupScope scope = CgroupScope.Create(new() { Pids = 5 }, CgroupController.Pids);
        using Process process = scope.Start("exec sleep 1000");

        Assert.False(scope.Group.TryRemove());
        Assert.True(Directory.Exists(scope.Group.Directories.Single()));
        Assert.Throws<CgroupException>(() => Cgroup.Create(scope.Group.Name, new() { Pids = 6 })); // and nobody makes it a second time

        await scope.Group.DisposeAsync();
        await process.WaitForExitAsync(Sandbox.Token);
    }

    [Fact]
    public async Task Who_enters_a_frozen_group_stands_still_until_it_thaws()
    {
        await using CgroupScope scope = CgroupScope.Create(ResourceLimits.None, CgroupController.Freezer);
        await scope.Group.FreezeAsync(TimeSpan.FromSeconds(10), Sandbox.Token);

        using Process process = scope.Start("echo moved"); // returns, though the group is frozen
        Task<string> output = process.StandardOutput.ReadToEndAsync(Sandbox.Token);
        await Task.Delay(200, Sandbox.Token);
        Assert.False(output.IsCompleted);

        scope.Group.Thaw();
        Assert.Equal("moved\n", await output);
    }

    [Fact]
    public void Beneath_a_group_of_threads_there_is_none_for_processes()
    {
        CgroupScope.Requires(CgroupController.Pressure); // in every group of v2, also where that is mounted beside v1
        CgroupOptions options = new() { Controllers = [CgroupController.Pressure] };
        string own = CgroupSystem.Current.Unified!.OwnDirectory, name = CgroupScope.NewName(), above = Path.Join(own, name), threads = Path.Join(above, "threads");
        Directory.CreateDirectory(threads);
        try
        {
            File.WriteAllText(Path.Join(threads, "cgroup.type"), "threaded");

            foreach ((string parent, string type) in new[] { ($"{name}/threads", "threaded"), (name, "domain threaded") })
            {
                CgroupException exception = Assert.Throws<CgroupException>(() => Cgroup.Create("isolation-test", ResourceLimits.None, options with { Parent = parent }));
                Assert.Equal(CgroupErrorReason.NotSupported, exception.Reason);
                Assert.Contains($"'{type}'", exception.Message, StringComparison.Ordinal);
            }
        }
        finally
        {
            Directory.Delete(threads);
            Directory.Delete(above);
        }
    }

    [Fact]
    public async Task Where_groups_are_mounted_read_only_the_error_says_so()
    {
        Lane.RequiresRoot("to mount in a namespace of its own");
        CgroupScope.Requires(CgroupController.Pids);
        string mounts = string.Join(' ', CgroupSystem.Current.Controllers.Where(support => support.IsMounted).Select(support => support.MountPoint).Distinct());

        (int code, _, string error) = await Sandbox.OnHostAsync("unshare", "-m", "sh", "-c", $"for m in {mounts}; do mount -o remount,bind,ro $m || exit; done; exec {NestedProgram.Path} run --pids-limit 5 -- true");

        Assert.True(code == NestedProgram.Refused, error);
        Assert.StartsWith("LimitForbidden:", error, StringComparison.Ordinal);
        Assert.Contains("mounted read-only", error, StringComparison.Ordinal);
    }
}
