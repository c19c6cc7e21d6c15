using System.Globalization;
using Isolation.Images;
using Isolation.Linux;

namespace Isolation.Benchmarks;

/// <summary>Debian from archive to directories, beside GNU tar, umoci, podman and docker.</summary>
internal static class ImagesMode
{
    internal static async Task RunAsync(Options options, Report report)
    {
        report.Heading("Images", "Debian in three layers, on an ext4 of its own; what was made is removed before each run, and that is not counted. Nobody but Isolation writes to disk what it has made before it ends: with `syncfs`.");
        try
        {
            await using DebianImage image = await DebianImage.OpenAsync();
            await LayerAsync(image, options, report);
            await WholeAsync(image, options, report);
        }
        catch (InvalidOperationException exception)
        {
            report.Line($"Not measured: {exception.Message.ReplaceLineEndings(" ")}");
            report.Line();
        }
    }

    private static async Task LayerAsync(DebianImage image, Options options, Report report)
    {
        string layer = image.Layers[0], scratch = Path.Join(image.Disk, "scratch");
        Entry tar = image.Cleaned("tar xzf", scratch, () => Tools.RunCapturedAsync("tar", "xzf", layer, "-C", scratch));
        Entry[] entries =
        [
            tar,
            image.Cleaned("tar xzf, then sync -f", scratch, () => Tools.RunCapturedAsync("sh", "-c", $"tar xzf '{layer}' -C '{scratch}' && sync -f '{scratch}'")),
            image.Cleaned("**Isolation, with digests checked, and synced**", scratch, () => UnpackAsync(layer, scratch, sync: true)),
            image.Cleaned("Isolation, the same, not synced", scratch, () => UnpackAsync(layer, scratch, sync: false)),
        ];
        using HeapPeak heap = new();
        entries = Chosen(entries, tar, options);
        await Interleaved.RunAsync(entries, options.Warmup ?? 2, options.Rounds ?? 15);
        report.Heading("One layer", $"The lowest, {new FileInfo(layer).Length >> 20} MiB with gzip. Asked for: at most 1.0 times `tar xzf`.");
        Table(report, entries, tar);
        report.Line(string.Create(CultureInfo.InvariantCulture, $"Managed memory at most: {heap.Most / 1048576.0:0.0} MiB. Asked for: under 64 MiB."));
        report.Line();
    }

    private static async Task WholeAsync(DebianImage image, Options options, Report report)
    {
        string scratch = Path.Join(image.Disk, "scratch"), docker = image.Scratch("docker");
        ImageStore store = await ImageStore.OpenAsync(Path.Join(image.Disk, "store"));
        Image loaded = (await store.LoadAsync(image.Archive))[0];
        string layers = Path.Join(store.Path, "isolation/layers");
        string extract = string.Join(" && ", image.Layers.Select(layer => $"tar xzf '{layer}' -C '{scratch}'"));
        Entry tar = image.Cleaned("tar xzf, a layer after the other", scratch, () => Tools.RunCapturedAsync("sh", "-c", extract));
        List<Entry> entries =
        [
            tar,
            image.Cleaned("tar xzf likewise, then sync -f", scratch, () => Tools.RunCapturedAsync("sh", "-c", $"{extract} && sync -f '{scratch}'")),
            image.Cleaned("**Isolation, unpack**", layers, () => store.UnpackAsync(loaded)),
            Peer("umoci", "umoci unpack", UmociAsync),
            Peer("umoci", "umoci unpack, then sync -f", () => SyncedAsync(UmociAsync)),
            image.Cleaned("**Isolation, load and unpack**", scratch, async () =>
            {
                ImageStore fresh = await ImageStore.OpenAsync(Path.Join(scratch, "store"));
                await fresh.UnpackAsync((await fresh.LoadAsync(image.Archive))[0]);
            }),

            // In a mount namespace of its own: it leaves a mount behind.
            Peer("podman", "podman load", () => Tools.RunCapturedAsync("unshare", "-m", "podman", "--storage-driver", "overlay", "--root", Path.Join(scratch, "root"), "--runroot", Path.Join(scratch, "run"), "load", "-q", "-i", image.Archive)),
        ];
        DockerDaemon? daemon = null;
        try
        {
            daemon = await DockerDaemon.StartAsync(docker);
            DockerDaemon running = daemon;
            bool isThere = false;
            entries.Add(new("docker load", LoadAsync) { Before = EmptyAsync });
            entries.Add(new("docker load, then sync -f", () => SyncedAsync(LoadAsync)) { Before = EmptyAsync });

            async Task LoadAsync()
            {
                await running.RunAsync("load", "-q", "-i", image.Archive);
                isThere = true;
            }

            async Task EmptyAsync()
            {
                if (isThere) await running.RunAsync("rmi", "-f", DebianImage.Name);
                await image.CleanAsync(null);
            }
        }
        catch (InvalidOperationException exception)
        {
            entries.Add(Entry.Missing("docker load", exception.Message));
        }

        using HeapPeak heap = new();
        try
        {
            entries = [.. Chosen(entries, tar, options)];
            await Interleaved.RunAsync(entries, options.Warmup ?? 1, options.Rounds ?? 10);
        }
        finally
        {
            if (daemon is not null) await daemon.DisposeAsync();
        }

        report.Heading("The whole image", "Three layers. Asked for: at most 0.6 times the best of the tools on two processors.");
        Table(report, entries, tar);
        report.Line(string.Create(CultureInfo.InvariantCulture, $"Managed memory at most: {heap.Most / 1048576.0:0.0} MiB. Asked for: under 64 MiB."));
        report.Line();

        Task UmociAsync() => Tools.RunCapturedAsync("umoci", "unpack", "--image", $"{store.Path}:{DebianImage.Name}", Path.Join(scratch, "bundle"));

        async Task SyncedAsync(Func<Task> run)
        {
            await run();
            await Tools.RunCapturedAsync("sync", "-f", image.Disk);
        }

        Entry Peer(string tool, string name, Func<Task> run) => Tools.Find(tool) is null ? Entry.Missing(name, "not installed") : image.Cleaned(name, scratch, run);
    }

    private static Entry[] Chosen(IEnumerable<Entry> entries, Entry baseline, Options options) =>
        [.. entries.Where(entry => entry == baseline || options.Only is null || entry.Name.Contains(options.Only, StringComparison.OrdinalIgnoreCase))];

    private static async Task UnpackAsync(string layer, string directory, bool sync)
    {
        using FileDescriptor top = FileDescriptor.Open(directory, Abi.O_RDONLY);
        await using FileStream blob = new(layer, new FileStreamOptions { BufferSize = 0 });
        await LayerUnpacker.UnpackAsync(blob, new(), top, new());
        if (sync) Syscall.Check(FileEntries.SyncFileSystem(top), "syncfs");
    }

    internal static void Table(Report report, IEnumerable<Entry> entries, Entry baseline) =>
        report.Table(["what", "min ms", "median ms", "median ÷", "min ÷"], entries.Select(entry => entry.Failure is not null
            ? (IReadOnlyList<string>)[entry.Name, entry.Failure, "", "", ""]
            :
            [
                entry.Name, entry.Samples.Min.ToString("0.0", CultureInfo.InvariantCulture), entry.Samples.Median.ToString("0.0", CultureInfo.InvariantCulture),
                Report.Number(entry.Samples.Median / baseline.Samples.Median), Report.Number(entry.Samples.Min / baseline.Samples.Min),
            ]));
}
