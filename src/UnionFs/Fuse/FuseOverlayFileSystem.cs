using System.Globalization;
using Isolation.Linux;

namespace Isolation.UnionFs;

/// <summary>
/// The program fuse-overlayfs. Its branches are given as short links in the scratch directory, which is its current directory:
/// no character of a path can be misread, and many fit.
/// </summary>
internal sealed class FuseOverlayFileSystem : IUnionFileSystem
{
    private const string Links = "layers", Point = "merged";

    public UnionDriver Driver => UnionDriver.FuseOverlay;

    // What fits into one argument of a program (MAX_ARG_STRLEN, 128 KiB) would be more; overlayfs's own number is enough.
    public UnionLimits Limits { get; } = new(OverlayFileSystem.MaxLayers, IsDetached: false, SharesFiles: true, TreeWriter.KeepsOwners, MapsIdentities: false);

    public WhiteoutForm LowerForm => WhiteoutForm.Overlay;

    public IEnumerable<UnionChange> Diff(UnionSpec spec, CancellationToken cancellationToken = default) => DirectoryDiff.Of(spec, WhiteoutForm.FuseOverlay, cancellationToken);

    public async Task<UnionMount> MountAsync(UnionSpec spec, CancellationToken cancellationToken = default)
    {
        SpecCheck.Check(spec, Limits, Driver);
        cancellationToken.ThrowIfCancellationRequested();
        string scratch = Path.GetFullPath(spec.Scratch ?? spec.Writable
            ?? throw new UnionFsException(UnionFsErrorReason.NotSupported, "The driver FuseOverlay needs a directory for its mount point", remedy: "Set Scratch."));
        using OpenedBranches lower = OpenedBranches.Open(spec.Lower);
        if (spec.Overlay.Metacopy == true) throw SpecCheck.Refused(Driver, "metacopy", "Leave it out, or use the driver Overlay.");
        UnionWritable? writable = null;
        FuseProgram? program = null;
        try
        {
            string options = Prepare(spec, scratch, lower, out writable);
            string point = $"{scratch}/{Point}";
            program = await FuseProgram.StartAsync($"{scratch}/{Links}", options, point, cancellationToken).ConfigureAwait(false);
            FileDescriptor root = FileDescriptor.Open(point, Abi.O_PATH | TargetAbi.Current.O_DIRECTORY);
            return new UnionMount(spec, Driver, "fuse-overlayfs", root, isDetached: false, point, writable, program.StopAsync);
        }
        catch (Exception exception)
        {
            writable?.Dispose();
            if (program is not null) await program.StopAsync().ConfigureAwait(false);
            if (exception is LinuxException cause) throw UnionFailure.Of($"Cannot mount a FUSE overlay at \"{scratch}\"", cause, UnionFsErrorReason.Failed);
            throw;
        }
    }

    private static string Prepare(UnionSpec spec, string scratch, OpenedBranches lower, out UnionWritable? writable)
    {
        writable = null;
        using FileDescriptor directory = WritableDirectory.Open(scratch);
        using FileDescriptor? changes = spec.Writable is null ? null : WritableDirectory.Open(spec.Writable);
        if (changes is not null)
        {
            if (spec.WritableBytes is { } bytes && !ProjectQuota.TryLimit(changes, bytes))
                throw SpecCheck.Refused(UnionDriver.FuseOverlay, $"limit of what is written to \"{spec.Writable}\"", "Its file system keeps no project quotas.");
            writable = new(WritableDirectory.Prepare(changes, lower.FromBottom[^1], withWork: true), WhiteoutForm.FuseOverlay, IsWhole: false);
        }

        WritableDirectory.MakeOne(directory, Point, 0x1C0);
        TreeRemoval.Remove(directory, FileName.Of(Links));
        WritableDirectory.MakeOne(directory, Links, 0x1C0);
        using FileDescriptor links = MergedTree.OpenDirectory(directory, FileName.Of(Links), "");
        for (int i = 0; i < spec.Lower.Length; i++) Link(links, i.ToString(CultureInfo.InvariantCulture), spec.Lower[^(i + 1)]);
        string options = $"lowerdir={string.Join(':', Enumerable.Range(0, spec.Lower.Length))}";
        if (spec.Writable is not null)
        {
            Link(links, "w", spec.Writable);
            options += $",upperdir=w/{WritableDirectory.Upper},workdir=w/{WritableDirectory.Work}";
        }
        else
        {
            options += ",ro";
        }

        // Others than who mounted may look into it only so: root's containers with users of their own.
        if (TreeWriter.KeepsOwners) options += ",allow_other,default_permissions";
        return options;
    }

    private static void Link(FileDescriptor links, string name, string branch) =>
        Syscall.Check(FileEntries.MakeLink(FileName.Of(Path.GetFullPath(branch)), links, FileName.Of(name)), "symlinkat", $"\"{branch}\"");
}
