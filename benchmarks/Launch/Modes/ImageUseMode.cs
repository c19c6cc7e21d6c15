using System.Globalization;
using Isolation.Images;
using Isolation.UnionFs;

namespace Isolation.Benchmarks;

/// <summary>An image that is there: containers started from it, their changes made images, and unions of many layers.</summary>
internal static class ImageUseMode
{
    private const int Files = 2000, FileSize = 52_429; // 100 MiB

    internal static async Task RunAsync(Options options, Report report)
    {
        report.Heading("Images in use", "Debian in three layers, on an ext4 of its own.");
        try
        {
            await using DebianImage image = await DebianImage.OpenAsync();
            ImageStore store = await ImageStore.OpenAsync(Path.Join(image.Disk, "store"));
            UnpackedImage unpacked = await store.UnpackAsync((await store.LoadAsync(image.Archive))[0]);
            if (options.Only is null or "start") await StartAsync(unpacked, options, report);
            if (options.Only is null or "commit") await CommitAsync(image, store, unpacked, options, report);
            if (options.Only is null or "union") await UnionAsync(image, options, report);
        }
        catch (InvalidOperationException exception)
        {
            report.Line($"Not measured: {exception.Message.ReplaceLineEndings(" ")}");
            report.Line();
        }
    }

    private static async Task StartAsync(UnpackedImage image, Options options, Report report)
    {
        ContainerSpec fromImage = new ContainerBuilder().FromImage(image).WithCommand("/bin/true").Build();
        ContainerSpec fromDirectory = new ContainerBuilder().FromDirectory(image.Layers[0], RootAccess.Layered).WithCommand("/bin/true").Build();
        Entry directory = new("from a directory, layered", () => fromDirectory.RunAsync());
        Entry[] entries = [directory, new("**from the image**", () => fromImage.RunAsync())];
        await Interleaved.RunAsync(entries, options.Warmup ?? 20, options.Rounds ?? 200);
        report.Heading("A container of an image that is there", "`/bin/true` of Debian, start to exit. Asked for: at most 1 ms more than from a directory.");
        ImagesMode.Table(report, entries, directory);
    }

    private static async Task CommitAsync(DebianImage image, ImageStore store, UnpackedImage unpacked, Options options, Report report)
    {
        string change = MakeChange(image);
        string[] podman = ["-m", "podman", "--storage-driver", "overlay", "--root", image.Scratch("podman"), "--runroot", image.Scratch("podman-run")];
        await using Container container = await new ContainerBuilder().FromImage(unpacked).WithBind(change, "/change").WithCommand("sleep", "1000000").StartAsync();
        ContainerResult copied = await container.ExecAsync("cp", "-r", "/change", "/new");
        if (copied.ExitCode != 0) throw new InvalidOperationException(copied.StandardError);
        Entry own = Settled("**Isolation, commit**", () => container.CommitAsync(store, new() { Reference = ImageReference.Parse("localhost/isolation/changed:1") }));
        List<Entry> entries =
        [
            own,
            Settled("Isolation, commit with gzip", () => container.CommitAsync(store, new() { Compression = LayerCompression.Gzip })),
            Settled("Isolation, commit with zstd", () => container.CommitAsync(store, new() { Compression = LayerCompression.Zstd })),
        ];
        entries.Add(await PreparedAsync("podman commit", async () =>
        {
            await PodmanAsync("load", "-q", "-i", image.Archive);
            await PodmanAsync("create", "--name", "changed", DebianImage.Name, "/bin/true");
            await PodmanAsync("cp", change, "changed:/new");
            return () => PodmanAsync("commit", "-q", "changed", "localhost/changed:1");
        }));
        DockerDaemon? daemon = null;
        try
        {
            entries.Add(await PreparedAsync("docker commit", async () =>
            {
                DockerDaemon docker = daemon = await DockerDaemon.StartAsync(image.Scratch("docker"));
                await docker.RunAsync("load", "-q", "-i", image.Archive);
                await docker.RunAsync("create", "--name", "changed", DebianImage.Name, "/bin/true");
                await docker.RunAsync("cp", change, "changed:/new");
                return () => docker.RunAsync("commit", "changed", "localhost/changed:1");
            }));
            await Interleaved.RunAsync(entries, options.Warmup ?? 1, options.Rounds ?? 10);
        }
        finally
        {
            if (daemon is not null) await daemon.DisposeAsync();
        }

        report.Heading("A commit", $"{Files} files, {Files * (long)FileSize >> 20} MiB of Debian's own. Asked for: ahead of podman and docker, which compress nothing, and do not wait for the disk as Isolation does.");
        ImagesMode.Table(report, entries, own);

        Entry Settled(string name, Func<Task> run) => new(name, run) { Before = () => image.CleanAsync(null) };

        Task PodmanAsync(params string[] arguments) => Tools.RunCapturedAsync("unshare", [.. podman, .. arguments]);

        async Task<Entry> PreparedAsync(string name, Func<Task<Func<Task>>> prepare)
        {
            try
            {
                return Settled(name, await prepare());
            }
            catch (Exception exception) when (exception is InvalidOperationException or System.ComponentModel.Win32Exception)
            {
                return Entry.Missing(name, exception.Message.ReplaceLineEndings(" "));
            }
        }
    }

    /// <summary>Programs and libraries, cut into files.</summary>
    private static string MakeChange(DebianImage image)
    {
        string directory = image.Scratch("change");
        using FileStream source = File.OpenRead(Path.ChangeExtension(image.Layers[2], null));
        byte[] content = new byte[FileSize];
        for (int i = 0; i < Files; i++)
        {
            source.ReadExactly(content);
            string part = Directory.CreateDirectory(Path.Join(directory, (i % 20).ToString(CultureInfo.InvariantCulture))).FullName;
            File.WriteAllBytes(Path.Join(part, i.ToString(CultureInfo.InvariantCulture)), content);
        }

        return directory;
    }

    private static async Task UnionAsync(DebianImage image, Options options, Report report)
    {
        string layers = image.Scratch("layers");
        IUnionFileSystem overlay = UnionFileSystems.Choose(UnionDriver.Overlay).FileSystem;
        List<Entry> entries = [];
        foreach (int count in (int[])[1, 10, 64, 120])
        {
            UnionSpec spec = new()
            {
                Lower = [.. Enumerable.Range(0, count).Select(layer => Directory.CreateDirectory(Path.Join(layers, $"{layer}")).FullName)],
                Writable = image.Scratch($"writable-{count}"),
            };
            entries.Add(new(string.Create(CultureInfo.InvariantCulture, $"{count}"), async () =>
            {
                await using UnionMount mount = await overlay.MountAsync(spec);
            }));
        }

        await Interleaved.RunAsync(entries, options.Warmup ?? 20, options.Rounds ?? 200);
        report.Heading("Union mounts", "Overlayfs of so many layers and a writable one, mounted and unmounted, with nobody in it.");
        ImagesMode.Table(report, entries, entries[0]);
    }
}
