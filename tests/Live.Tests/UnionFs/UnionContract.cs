using Isolation.Linux;
using Isolation.UnionFs;

namespace Isolation.Live.Tests;

/// <summary>What every union driver does alike. Each has a class that makes it, and skips where the machine lacks it.</summary>
public abstract class UnionContract
{
    private protected abstract IUnionFileSystem Make();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Upper_branches_hide_lower_ones()
    {
        using UnionBranchFiles files = new();
        IUnionFileSystem driver = Make();
        await using UnionMount mount = await driver.MountAsync(files.Spec(), Token);

        Assert.Equal("bottom", Read(mount, "etc/passwd"));
        Assert.Equal("middle", Read(mount, "etc/hosts"));
        Assert.Equal("top", Read(mount, "etc/new"));
        Assert.Equal("top", Read(mount, ":odd,name\\"));
        Assert.Equal("bottom", Read(mount, "link"));
        Assert.False(Directory.Exists(UnionBranchFiles.At(mount, "gone")));
        Assert.Equal(["seen"], Names(mount, "opaque"));
        Assert.Equal([":odd,name\\", "etc", "lib", "link", "opaque"], Names(mount, ""));
        Assert.Equal(0x1ED, (int)File.GetUnixFileMode(UnionBranchFiles.At(mount, ".")));
        Assert.Equal(driver.Driver, mount.Driver);
        Assert.Equal(driver.Limits.IsDetached, mount.IsDetached);
    }

    [Fact]
    public async Task What_is_written_goes_to_the_writable_branch_alone_and_is_told()
    {
        using UnionBranchFiles files = new();
        IUnionFileSystem driver = Make();
        UnionSpec spec = files.Spec();
        string[] before = TreeSnapshot.Of(files["bottom"]);
        await using (UnionMount mount = await driver.MountAsync(spec, Token))
        {
            Assert.Empty(UnionBranchFiles.Changes(mount.Diff(Token)));
            File.AppendAllText(UnionBranchFiles.At(mount, "etc/passwd"), " changed");
            File.WriteAllText(UnionBranchFiles.At(mount, "etc/added"), "");
            File.Delete(UnionBranchFiles.At(mount, "etc/hosts"));
            Directory.Delete(UnionBranchFiles.At(mount, "opaque"), recursive: true);
            Directory.CreateDirectory(UnionBranchFiles.At(mount, "opaque"));
            File.WriteAllText(UnionBranchFiles.At(mount, "opaque/other"), "");
            Directory.CreateDirectory(UnionBranchFiles.At(mount, "a/b"));
            File.SetUnixFileMode(UnionBranchFiles.At(mount, "lib/shared"), (UnixFileMode)0x100);
            File.Delete(UnionBranchFiles.At(mount, "link"));
            Directory.CreateDirectory(UnionBranchFiles.At(mount, "link"));

            string[] changes = ["A /a", "A /a/b", "C /etc", "A /etc/added", "D /etc/hosts", "C /etc/passwd", "C /lib/shared", "C /link", "C /opaque", "A /opaque/other", "D /opaque/seen"];
            Assert.Equal(changes, UnionBranchFiles.Changes(mount.Diff(Token)));
            Assert.Equal("bottom changed", Read(mount, "etc/passwd"));
        }

        Assert.Equal(before, TreeSnapshot.Of(files["bottom"]));
        // Not mounted any more, and mounted again.
        Assert.Equal(11, driver.Diff(spec, Token).Count());
        await using UnionMount again = await driver.MountAsync(spec, Token);
        Assert.Equal("bottom changed", Read(again, "etc/passwd"));
        Assert.Equal(["other"], Names(again, "opaque"));
    }

    [Fact]
    public async Task Unions_of_the_same_branches_do_not_see_one_another()
    {
        using UnionBranchFiles files = new();
        IUnionFileSystem driver = Make();
        UnionSpec spec = files.Spec();
        await using UnionMount one = await driver.MountAsync(spec with { Writable = files.Make("one"), Scratch = null }, Token);
        await using UnionMount other = await driver.MountAsync(spec with { Writable = files.Make("other"), Scratch = null }, Token);
        File.WriteAllText(UnionBranchFiles.At(one, "etc/passwd"), "one");
        File.Delete(UnionBranchFiles.At(one, "etc/new"));

        Assert.Equal("bottom", Read(other, "etc/passwd"));
        Assert.Equal("top", Read(other, "etc/new"));
        Assert.Empty(other.Diff(Token));
    }

    [Fact]
    public async Task Without_a_writable_branch_there_are_no_changes_and_the_branches_stay()
    {
        using UnionBranchFiles files = new();
        IUnionFileSystem driver = Make();
        UnionSpec spec = files.Spec(isWritable: false);
        string[] before = TreeSnapshot.Of(files["bottom"]);
        await using (UnionMount mount = await driver.MountAsync(spec, Token))
        {
            Assert.Equal("middle", Read(mount, "etc/hosts"));
            if (mount.IsDetached) Assert.ThrowsAny<IOException>(() => File.WriteAllText(UnionBranchFiles.At(mount, "etc/hosts"), "written"));
            Assert.Equal(UnionFsErrorReason.NotSupported, Assert.Throws<UnionFsException>(() => mount.Diff(Token)).Reason);
        }

        Assert.Equal(before, TreeSnapshot.Of(files["bottom"]));
    }

    [Fact]
    public async Task A_single_branch_is_a_union_too()
    {
        using UnionBranchFiles files = new();
        files.Write("only/file", "text");
        await using UnionMount mount = await Make().MountAsync(new UnionSpec { Lower = [files["only"]], Scratch = files.Make("scratch") }, Token);
        Assert.Equal(["file"], Names(mount, ""));
    }

    [Fact]
    public async Task As_many_branches_as_an_image_may_have()
    {
        using UnionBranchFiles files = new();
        string[] lower = [.. Enumerable.Range(0, 128).Select(i => Path.GetDirectoryName(files.Write($"a long name of a directory with layers/layer {i}/of{i}", $"{i}"))!)];
        IUnionFileSystem driver = Make();
        UnionSpec spec = new() { Lower = [.. lower], Writable = files.Make("writable") };
        if (driver.Limits.MaxLowerBranches < 128)
        {
            Assert.Equal(UnionFsErrorReason.TooManyBranches, (await Assert.ThrowsAsync<UnionFsException>(() => driver.MountAsync(spec, Token))).Reason);
            return;
        }

        await using UnionMount mount = await driver.MountAsync(spec, Token);
        Assert.Equal(128, Names(mount, "").Length);
        Assert.Equal("127", Read(mount, "of127"));
    }

    [Fact]
    public async Task Bad_input_is_told_before_anything_is_made()
    {
        using UnionBranchFiles files = new();
        IUnionFileSystem driver = Make();
        UnionSpec spec = files.Spec();
        async Task<UnionFsException> Refused(UnionSpec bad) => await Assert.ThrowsAsync<UnionFsException>(() => driver.MountAsync(bad, Token));

        UnionFsException missing = await Refused(spec with { Lower = [files["bottom"], files["nowhere"]] });
        Assert.Equal(UnionFsErrorReason.BranchUnusable, missing.Reason);
        Assert.Contains(files["nowhere"], missing.Message, StringComparison.Ordinal);
        Assert.Equal(UnionFsErrorReason.BranchUnusable, (await Refused(spec with { Lower = [files["top/etc/new"]] })).Reason);
        Assert.Equal(UnionFsErrorReason.BranchesOverlap, (await Refused(spec with { Lower = [files["top"], files["bottom"], files["bottom/../top"]] })).Reason);
        Assert.Equal(UnionFsErrorReason.WritableUnusable, (await Refused(spec with { Writable = files["nowhere"], Scratch = null })).Reason);
        await Assert.ThrowsAsync<ArgumentException>(() => driver.MountAsync(spec with { Lower = [] }, Token));
        await Assert.ThrowsAsync<ArgumentException>(() => driver.MountAsync(spec with { WritableBytes = 0 }, Token));
        if (driver.Driver != UnionDriver.Overlay) await Assert.ThrowsAsync<ArgumentException>(() => driver.MountAsync(spec with { Writable = null, WritableBytes = 1 }, Token)); // it writes to a tmpfs then
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => driver.MountAsync(spec, new CancellationToken(canceled: true)));
        Assert.Empty(Directory.GetFileSystemEntries(spec.Writable!));
        Assert.Empty(Directory.GetFileSystemEntries(spec.Scratch!));
        Assert.Throws<UnionFsException>(() => driver.Diff(spec, Token).Count());
    }

    [Fact]
    public async Task Disposed_nothing_is_mounted_and_nobody_runs()
    {
        using UnionBranchFiles files = new();
        UnionMount mount = await Make().MountAsync(files.Spec(), Token);
        await mount.DisposeAsync();
        await mount.DisposeAsync();
        Assert.DoesNotContain(files[""], await File.ReadAllTextAsync("/proc/self/mountinfo", Token), StringComparison.Ordinal);
        Assert.Throws<ObjectDisposedException>(() => mount.Diff(Token));
        foreach (string process in Directory.GetDirectories("/proc").Where(path => int.TryParse(Path.GetFileName(path), out _)))
            Assert.DoesNotContain(files[""], CommandLine(process), StringComparison.Ordinal);
    }

    private static string CommandLine(string process)
    {
        try
        {
            return File.ReadAllText($"{process}/cmdline");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private static string Read(UnionMount mount, string name) => File.ReadAllText(UnionBranchFiles.At(mount, name));

    private static string[] Names(UnionMount mount, string name) =>
        [.. Directory.GetFileSystemEntries(UnionBranchFiles.At(mount, name == "" ? "." : name)).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];
}
