using Isolation.Linux;
using Isolation.UnionFs;

namespace Isolation.Live.Tests;

[Trait("Lane", "VM")]
public sealed class VolumeAndQuotaTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_volume_gets_what_the_image_has_on_first_use_and_never_again()
    {
        using UnionBranchFiles files = new();
        await using UnionMount mount = await UnionFileSystems.Choose().FileSystem.MountAsync(files.Spec(), Token);
        string volume = files.Make("volumes/data");
        File.SetUnixFileMode(UnionBranchFiles.At(mount, "etc"), (UnixFileMode)0x1E8);

        Assert.False(await VolumeContent.FillAsync(volume, mount, "/nowhere", Token));
        Assert.False(await VolumeContent.FillAsync(volume, mount, "/etc/passwd", Token));
        Assert.True(await VolumeContent.FillAsync(volume, mount, "/etc", Token));
        Assert.Equal(["hosts", "new", "passwd"], Directory.GetFileSystemEntries(volume).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal));
        Assert.Equal(0x1E8, (int)File.GetUnixFileMode(volume));
        Assert.Equal([volume], Directory.GetFileSystemEntries(files["volumes"]));

        File.Delete(Path.Join(volume, "hosts"));
        Assert.False(await VolumeContent.FillAsync(volume, mount, "/etc", Token));
        Assert.False(File.Exists(Path.Join(volume, "hosts")));
    }

    [Fact]
    public async Task Of_several_who_fill_a_volume_at_the_same_time_one_does()
    {
        using UnionBranchFiles files = new();
        await using UnionMount mount = await UnionFileSystems.Choose().FileSystem.MountAsync(files.Spec(), Token);
        for (int round = 0; round < 200; round++)
        {
            string volume = files.Make($"volumes/{round}");
            bool[] filled = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => VolumeContent.FillAsync(volume, mount, "/etc", Token)));
            Assert.Single(filled, one => one);
            Assert.Equal(3, Directory.GetFileSystemEntries(volume).Length);
            Assert.Equal(round + 1, Directory.GetFileSystemEntries(files["volumes"]).Length);
        }
    }

    [Fact]
    public async Task A_link_in_the_image_leads_nowhere_out_of_it()
    {
        using UnionBranchFiles files = new();
        UnionSpec spec = files.Spec();
        File.CreateSymbolicLink(files["top/out"], "/../../../../../proc/self");
        await using UnionMount mount = await UnionFileSystems.Choose().FileSystem.MountAsync(spec, Token);
        Assert.False(await VolumeContent.FillAsync(files.Make("volume"), mount, "/out", Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => VolumeContent.FillAsync(files["volume"], mount, "/etc", new CancellationToken(canceled: true)));
        Assert.Empty(Directory.GetFileSystemEntries(files["volume"]));
    }

    [Theory]
    [InlineData("overlay")]
    [InlineData("copy")]
    public async Task A_project_quota_limits_what_is_written_where_the_file_system_has_them(string driver)
    {
        Lane.RequiresRoot("a file system is made and mounted");
        using UnionBranchFiles files = new();
        string image = files["disk"], disk = files.Make("mounted");
        using (FileStream file = File.Create(image)) file.SetLength(64 << 20);
        (int code, _, string error) = await Sandbox.OnHostAsync("mkfs.ext4", "-q", "-F", "-O", "quota,project", "-E", "quotatype=prjquota", image);
        Assert.True(code == 0, error);
        (code, _, error) = await Sandbox.OnHostAsync("mount", "-o", "loop,prjquota", image, disk);
        Assert.SkipUnless(code == 0, $"a loop device with project quotas cannot be had here: {error}");
        try
        {
            string writable = Directory.CreateDirectory(Path.Join(disk, "writable")).FullName, beside = Directory.CreateDirectory(Path.Join(disk, "beside")).FullName;
            IUnionFileSystem made = UnionFileSystems.Choose(driver == "copy" ? UnionDriver.Copy : UnionDriver.Overlay).FileSystem;
            await using (UnionMount mount = await made.MountAsync(files.Spec() with { Writable = writable, WritableBytes = 4 << 20 }, Token))
            {
                File.WriteAllBytes(UnionBranchFiles.At(mount, "small"), new byte[1 << 20]);
                // Without CAP_SYS_RESOURCE, which passes over quotas; overlayfs writes without it in any case.
                (code, _, error) = await Sandbox.OnHostAsync("setpriv", "--bounding-set=-sys_resource", "--inh-caps=-sys_resource",
                    "dd", "if=/dev/zero", $"of={Path.Join(writable, driver == "copy" ? "tree" : "upper", "large")}", "bs=1M", "count=8", "conv=fsync");
                Assert.NotEqual(0, code);
                Assert.Matches("[Qq]uota|[Ss]pace", error);
                Assert.NotEmpty(Directory.GetFileSystemEntries(writable));
            }

            // Others are not limited by it.
            WriteSynced(Path.Join(beside, "large"), 8 << 20);
            using FileDescriptor directory = FileDescriptor.Open(writable, Abi.O_RDONLY);
            Assert.Equal(4 << 20, ProjectQuota.Read(directory)!.Value.Limit);
            Assert.InRange(ProjectQuota.Read(directory)!.Value.Used, 1 << 20, 4 << 20);
            ProjectQuota.Clear(directory);
            Assert.Null(ProjectQuota.Read(directory));
        }
        finally
        {
            (code, _, error) = await Sandbox.OnHostAsync("umount", disk);
            Assert.True(code == 0, error);
        }
    }

    [Fact]
    public async Task Fifty_unions_of_one_library_hold_its_pages_once()
    {
        UnionSupport overlay = UnionFileSystems.Probe()[0];
        Assert.SkipUnless(overlay.IsAvailable, overlay.Reason);
        using UnionBranchFiles files = new();
        UnionSpec spec = files.Spec();
        const int Size = 16 << 20;
        await File.WriteAllBytesAsync(files["bottom/lib/library"], new byte[Size], Token);
        Sync(files["bottom/lib/library"]);
        List<UnionMount> mounts = [];
        try
        {
            for (int i = 0; i < 50; i++)
            {
                UnionMount mount = await UnionFileSystems.Choose(UnionDriver.Overlay).FileSystem.MountAsync(spec with { Writable = files.Make($"w{i}"), Scratch = null }, Token);
                mounts.Add(mount);
            }

            long before = Cached();
            foreach (UnionMount mount in mounts) Assert.Equal(Size, (await File.ReadAllBytesAsync(UnionBranchFiles.At(mount, "lib/library"), Token)).Length);
            long grown = Cached() - before;
            // Apart, they would be 50 times 16 MiB. Others use this machine too.
            Assert.True(grown < 10L * Size, $"the page cache grew by {grown >> 20} MiB");
        }
        finally
        {
            foreach (UnionMount mount in mounts) await mount.DisposeAsync();
        }
    }

    private static void Sync(string path)
    {
        using FileDescriptor file = FileDescriptor.Open(path, Abi.O_RDONLY);
        Syscall.Check(FileEntries.Sync(file), "fsync");
    }

    private static void WriteSynced(string path, int bytes)
    {
        using FileStream file = File.Create(path);
        file.Write(new byte[bytes]);
        file.Flush(flushToDisk: true);
    }

    private static long Cached() => long.Parse(File.ReadAllLines("/proc/meminfo").Single(line => line.StartsWith("Cached:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], System.Globalization.CultureInfo.InvariantCulture) << 10;
}
