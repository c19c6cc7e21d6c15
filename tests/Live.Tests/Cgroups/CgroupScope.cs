using System.Diagnostics;
using Isolation.Cgroups;

namespace Isolation.Live.Tests;

/// <summary>A control group of a test's own, gone with it, and programs that run in it.</summary>
internal sealed class CgroupScope : IAsyncDisposable
{
    internal CgroupScope(Cgroup group) => Group = group;

    internal Cgroup Group { get; }

    /// <summary>Whether this user may make groups: root, and others where the group that they are in is theirs (tests/vm/run --delegate).</summary>
    internal static bool MayMake { get; } = Lane.IsRoot || IsDelegated();

    internal static void RequiresGroups() => Assert.SkipUnless(MayMake, "root, or a delegated group: nobody else may make control groups");

    internal static void RequiresNoGroups() => Assert.SkipWhen(MayMake, "a user without a delegated group: this one may make control groups");

    internal static string NewName() => "isolation-test-" + Guid.NewGuid().ToString("N")[..12];

    /// <summary>Skips the test where this machine or this user cannot have such a group, and says why.</summary>
    internal static CgroupScope Create(ResourceLimits limits, params CgroupController[] controllers)
    {
        Requires(controllers);
        return new(Cgroup.Create(NewName(), limits, new CgroupOptions { Controllers = controllers }));
    }

    internal static void Requires(params CgroupController[] controllers)
    {
        RequiresGroups();
        CgroupSystem system = CgroupSystem.Current;
        foreach (CgroupController controller in controllers)
            Assert.SkipWhen(system[controller].Absence is not null, $"{controller}: {system[controller].Absence}");
    }

    /// <summary>Runs a shell script in the group: it begins when it is in it.</summary>
    internal async Task<(int ExitCode, string Output)> RunAsync(string script)
    {
        using Process process = Start(script);
        string output = await process.StandardOutput.ReadToEndAsync(Sandbox.Token);
        await process.WaitForExitAsync(Sandbox.Token);
        return (process.ExitCode, output);
    }

    internal Process Start(string script)
    {
        ProcessStartInfo start = new("/bin/sh", ["-c", "exec 2> /dev/null; read go; " + script]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        Process process = Process.Start(start)!;
        Group.Add(process.Id);
        process.StandardInput.WriteLine("go");
        process.StandardInput.Close();
        return process;
    }

    internal string Directory(CgroupController controller) => Group.Parts.First(part => part.Controllers.Contains(controller)).Group.Path;

    internal string File(CgroupController controller, string name) => System.IO.File.ReadAllText(Path.Join(Directory(controller), name)).Trim();

    internal long Number(CgroupController controller, string name) => long.Parse(File(controller, name), System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>Whether a group has a file, which the root of all may not have.</summary>
    internal static async Task<bool> HasFileAsync(CgroupController controller, string name)
    {
        await using CgroupScope probe = Create(ResourceLimits.None, controller);
        return System.IO.File.Exists(Path.Join(probe.Directory(controller), name));
    }

    /// <summary>Skips the test where the controller is not of v2.</summary>
    internal static void RequiresV2(CgroupController controller, string what) => Assert.SkipUnless(IsV2(controller), $"{what} is of v2, and {controller} is of v1 here");

    /// <summary>
    /// One gets this many times as much as the other, in one of some stretches of time: what else the machine does comes
    /// between in others, the more so where this is a virtual one.
    /// </summary>
    internal static async Task SharesAsync(double times, Func<double> more, Func<double> less)
    {
        List<string> seen = [];
        while (seen.Count < 15)
        {
            await Task.Delay(200, Sandbox.Token);
            (double moreBefore, double lessBefore) = (more(), less());
            await Task.Delay(2000, Sandbox.Token);
            (double most, double least) = (more() - moreBefore, less() - lessBefore);
            if (most > 0 && most > times * least) return;
            seen.Add($"{most} and {least}");
        }

        Assert.Fail($"not {times} times as much: {string.Join(", ", seen)}");
    }

    internal static async Task UntilAsync(Func<bool> condition)
    {
        while (!condition()) await Task.Delay(5, Sandbox.Token);
    }

    internal static bool IsV2(CgroupController controller) => CgroupSystem.Current[controller].Version == CgroupVersion.V2;

    private static bool IsDelegated()
    {
        if (CgroupSystem.Current is not { Mode: CgroupMode.V2, Unified: { } place }) return false;
        try
        {
            System.IO.File.OpenWrite(Path.Join(place.OwnDirectory, "cgroup.subtree_control")).Dispose();
            return true;
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        IReadOnlyList<string> directories = Group.Directories;
        await Group.DisposeAsync();
        Assert.All(directories, directory => Assert.False(System.IO.Directory.Exists(directory), directory));
    }
}
