using System.Diagnostics;
using Isolation.Linux;
using Isolation.UnionFs;

namespace Isolation.Live.Tests;

/// <summary>What overlayfs alone can.</summary>
[Trait("Lane", "VM")]
public sealed class OverlayLiveTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string> Routes => ["Append", "Attached"];

    [Fact]
    public void The_kernel_is_asked_what_it_can()
    {
        Lane.RequiresRoot("overlayfs needs CAP_SYS_ADMIN");
        OverlayKernel kernel = OverlayKernel.Probe();
        Assert.Equal(Errno.None, kernel.OpenResult);
        Version version = Environment.OSVersion.Version;
        if (version < new Version(6, 5)) Assert.False(kernel.HasAppend);
        if (version >= new Version(6, 8)) Assert.True(kernel.HasAppend);
        if (version < new Version(6, 15)) Assert.False(kernel.HasDetachedLayers);
    }

    [Theory, MemberData(nameof(Routes))]
    public async Task A_detached_union_is_at_no_path_until_it_is_attached(string route)
    {
        OverlayFileSystem driver = OrSkip(route);
        using UnionBranchFiles files = new();
        string target = files.Make("target");
        await using (UnionMount mount = await driver.MountAsync(files.Spec(), Token))
        {
            Assert.Null(mount.Path);
            Assert.DoesNotContain(files[""], await File.ReadAllTextAsync("/proc/self/mountinfo", Token), StringComparison.Ordinal);
            mount.AttachTo(target);
            Assert.Equal("middle", await File.ReadAllTextAsync(files["target/etc/hosts"], Token));
            Assert.Throws<InvalidOperationException>(() => mount.AttachTo(target));
        }

        Assert.Empty(Directory.GetFileSystemEntries(target));
    }

    [Theory, MemberData(nameof(Routes))]
    public async Task Layers_seen_through_an_identity_map_belong_to_its_users(string route)
    {
        OverlayFileSystem driver = OrSkip(route);
        Assert.SkipUnless(Environment.OSVersion.Version >= new Version(5, 19), "identity maps of overlay layers are of Linux 5.19");
        using UnionBranchFiles files = new();
        UnionSpec spec = files.Spec();
        using MappedNamespace first = await MappedNamespace.StartAsync(100000), second = await MappedNamespace.StartAsync(300000);
        UnionMount one;
        try
        {
            one = await driver.MountAsync(spec with { Writable = files.Make("one"), IdentityMap = first.Descriptor }, Token);
        }
        catch (UnionFsException exception) when (exception.Reason == UnionFsErrorReason.NotSupported && exception.Message.Contains("mount_setattr", StringComparison.Ordinal))
        {
            Assert.Skip($"the file system of the branches has no identity maps: {exception.Message}");
            return;
        }

        await using (one)
        await using (UnionMount other = await driver.MountAsync(spec with { Writable = files.Make("other"), IdentityMap = second.Descriptor }, Token))
        {
            Assert.Equal(100000u, Status(UnionBranchFiles.At(one, "etc/passwd")).Uid);
            Assert.Equal(300000u, Status(UnionBranchFiles.At(other, "etc/passwd")).Uid);
            Assert.Equal(0u, Status(files["bottom/etc/passwd"]).Uid);

            // Root of the map, who is nobody to the host, may write what is his there.
            one.AttachTo(files.Make("target"));
            (int code, _, string error) = await Sandbox.OnHostAsync("setpriv", "--reuid", "100000", "--regid", "100000", "--clear-groups", "sh", "-c", $"echo new > {files["target/etc/added"]}; rm {files["target/etc/hosts"]}; echo more >> {files["target/etc/passwd"]}; mkdir {files["target/made"]}");
            Assert.True(code == 0, error);
            Assert.Equal(100000u, Status(files["one/upper/etc/added"]).Uid);
            Assert.Equal(100000u, Status(files["one/upper/etc/passwd"]).Uid);
            Assert.Equal(["C /etc", "A /etc/added", "D /etc/hosts", "C /etc/passwd", "A /made"], UnionBranchFiles.Changes(one.Diff(Token)).Where(change => change != "C /lib"));
            Assert.Equal("bottom", await File.ReadAllTextAsync(UnionBranchFiles.At(other, "etc/passwd"), Token));
        }
    }

    [Theory, MemberData(nameof(Routes))]
    public async Task A_renamed_directory_is_one_that_is_gone_and_one_that_is_new(string route)
    {
        OverlayFileSystem driver = OrSkip(route);
        using UnionBranchFiles files = new();
        UnionSpec spec = files.Spec() with { Overlay = new() { RedirectDirectories = true, Metacopy = true } };
        await using UnionMount mount = await driver.MountAsync(spec, Token);
        Directory.Move(UnionBranchFiles.At(mount, "etc"), UnionBranchFiles.At(mount, "moved"));
        Directory.CreateDirectory(UnionBranchFiles.At(mount, "deep"));
        Directory.Move(UnionBranchFiles.At(mount, "lib"), UnionBranchFiles.At(mount, "deep/lib"));
        File.SetUnixFileMode(UnionBranchFiles.At(mount, "deep/lib/shared"), (UnixFileMode)0x100);

        Assert.Equal(["A /deep", "A /deep/lib", "A /deep/lib/shared", "D /etc", "D /lib", "A /moved", "A /moved/hosts", "A /moved/new", "A /moved/passwd"],
            UnionBranchFiles.Changes(mount.Diff(Token)));
    }

    [Fact]
    public async Task A_limit_of_bytes_without_quotas_is_a_tmpfs_of_that_size()
    {
        foreach (string route in Routes.Select(row => row.Data))
        {
            OverlayFileSystem driver = route == "Attached" ? OrSkip(route) : OrSkip("Automatic");
            using UnionBranchFiles files = new();
            using UnionMountScope mount = new(await driver.MountAsync(files.Spec() with { WritableBytes = 1 << 20 }, Token));
            File.WriteAllBytes(UnionBranchFiles.At(mount.Mount, "small"), new byte[1 << 19]);
            IOException full = Assert.ThrowsAny<IOException>(() => File.WriteAllBytes(UnionBranchFiles.At(mount.Mount, "large"), new byte[1 << 21]));
            Assert.Contains("No space left", full.Message, StringComparison.Ordinal);
            Assert.Equal(["A /large", "A /small"], UnionBranchFiles.Changes(mount.Mount.Diff(Token)));
            Assert.Empty(Directory.GetFileSystemEntries(files["writable"]));
        }
    }

    [Fact]
    public async Task More_layers_than_the_kernel_stacks_are_refused_by_number()
    {
        OverlayFileSystem driver = OrSkip("Automatic");
        using UnionBranchFiles files = new();
        string[] lower = [.. Enumerable.Range(0, 500).Select(i => files.Make($"l{i}"))];
        UnionFsException exception = await Assert.ThrowsAsync<UnionFsException>(() => driver.MountAsync(new() { Lower = [.. lower] }, Token));
        Assert.Equal(UnionFsErrorReason.TooManyBranches, exception.Reason);
        Assert.Contains("499", exception.Message, StringComparison.Ordinal);
        await using UnionMount most = await driver.MountAsync(new() { Lower = [.. lower[..499]], Writable = files.Make("writable") }, Token);
        Assert.Empty(most.Diff(Token));
    }

    [Fact]
    public async Task A_third_overlay_on_two_is_refused_with_what_helps()
    {
        OverlayFileSystem driver = OrSkip("Automatic");
        using UnionBranchFiles files = new();
        await using UnionMount one = await driver.MountAsync(files.Spec(), Token);
        one.AttachTo(files.Make("first"));
        await using UnionMount two = await driver.MountAsync(new() { Lower = [files["first"], files.Make("beside")], Writable = files.Make("w2") }, Token);
        two.AttachTo(files.Make("second"));
        UnionFsException exception = await Assert.ThrowsAsync<UnionFsException>(() => driver.MountAsync(new() { Lower = [files["second"], files["beside"]], Writable = files.Make("w3") }, Token));
        Assert.Equal(UnionFsErrorReason.WritableUnusable, exception.Reason);
        Assert.Contains("stacked", exception.Message, StringComparison.Ordinal);
        Assert.Equal(UnionFsErrorReason.WritableUnusable, (await Assert.ThrowsAsync<UnionFsException>(() => driver.MountAsync(new() { Lower = [files["bottom"]], Writable = Directory.CreateDirectory(files["first/w"]).FullName }, Token))).Reason);
    }

    [Fact]
    public async Task Unprivileged_in_a_user_namespace_of_its_own_the_contract_holds()
    {
        Assert.SkipWhen(Environment.GetEnvironmentVariable("ISOLATION_TEST_INNER") is not null, "this is the inner run");
        string self = Environment.ProcessPath!;
        ProcessStartInfo start = new("unshare") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in (string[])["--user", "--map-root-user", "--mount", self, "-class", typeof(OverlayContractTests).FullName!, "-class", typeof(OverlayAttachedContractTests).FullName!, "-noLogo", "-noColor", "-noAutoReporters"])
            start.ArgumentList.Add(argument);
        start.Environment["ISOLATION_TEST_INNER"] = "1";
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync(Token);
        string output = await process.StandardOutput.ReadToEndAsync(Token);
        await process.WaitForExitAsync(Token);
        if (Environment.OSVersion.Version < new Version(5, 11)) Assert.Skip("overlayfs in user namespaces is of Linux 5.11");
        if (output.Contains("Operation not permitted", StringComparison.Ordinal)) Assert.Skip("user namespaces are forbidden here");
        if (Environment.OSVersion.Version < new Version(6, 6) && output.Contains("EOPNOTSUPP", StringComparison.Ordinal)) Assert.Skip("attributes of users on tmpfs are of Linux 6.6");
        Assert.True(process.ExitCode == 0, output + await error);
        if (Environment.OSVersion.Version < new Version(6, 6) && !output.Contains("Skipped: 0", StringComparison.Ordinal)) Assert.Skip("attributes of users on tmpfs are of Linux 6.6");
        Assert.Matches("Total: 1[0-9], Errors: 0, Failed: 0, Skipped: 0", output);
    }

    [Fact]
    public void A_driver_that_is_not_there_is_told_with_its_remedy()
    {
        UnionSupport aufs = UnionFileSystems.Probe().Single(support => support.Driver == UnionDriver.Aufs);
        Assert.SkipWhen(aufs.IsAvailable, "this kernel has AUFS");
        UnionFsException exception = Assert.Throws<UnionFsException>(() => UnionFileSystems.Choose(UnionDriver.Aufs));
        Assert.Equal(UnionFsErrorReason.DriverUnavailable, exception.Reason);
        Assert.Contains(aufs.Reason, exception.Message, StringComparison.Ordinal);
        Assert.NotNull(exception.Remedy);
        UnionChoice choice = UnionFileSystems.Choose();
        Assert.Equal(4, choice.Considered.Length);
        Assert.Contains($"{choice.FileSystem.Driver}: ", choice.Reason, StringComparison.Ordinal);
        if (!Lane.IsRoot) Assert.Contains("CAP_SYS_ADMIN", choice.Reason, StringComparison.Ordinal);
    }

    private static FileStatus Status(string path)
    {
        using FileDescriptor file = FileDescriptor.Open(path, Abi.O_PATH);
        return FileStatus.Of(file);
    }

    private static OverlayFileSystem OrSkip(string route)
    {
        UnionSupport support = UnionFileSystems.Probe()[0];
        Assert.SkipUnless(support.IsAvailable, support.Reason);
        OverlayKernel kernel = OverlayKernel.Probe();
        Assert.SkipWhen(route == "Append" && !kernel.HasDetachedLayers, "lowerdir+ with detached layers is of Linux 6.15");
        return new OverlayFileSystem(kernel, Enum.Parse<OverlayRoute>(route));
    }

    private sealed class UnionMountScope(UnionMount mount) : IDisposable
    {
        internal UnionMount Mount { get; } = mount;

        public void Dispose() => Mount.DisposeAsync().AsTask().GetAwaiter().GetResult();
    }
}

/// <summary>A user namespace with 65,536 ids from a first one on, held by a process that sleeps.</summary>
internal sealed class MappedNamespace : IDisposable
{
    private readonly Process _process;

    private MappedNamespace(Process process, FileDescriptor descriptor) => (_process, Descriptor) = (process, descriptor);

    internal FileDescriptor Descriptor { get; }

    internal static async Task<MappedNamespace> StartAsync(uint first)
    {
        ProcessStartInfo start = new("unshare") { RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach (string argument in (string[])["--user", "sh", "-c", "echo ready; read -r line"]) start.ArgumentList.Add(argument);
        Process process = Process.Start(start)!;
        Assert.Equal("ready", await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));
        await File.WriteAllTextAsync($"/proc/{process.Id}/uid_map", $"0 {first} 65536");
        await File.WriteAllTextAsync($"/proc/{process.Id}/gid_map", $"0 {first} 65536");
        return new(process, FileDescriptor.Open($"/proc/{process.Id}/ns/user", Abi.O_RDONLY));
    }

    public void Dispose()
    {
        Descriptor.Dispose();
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }
}
