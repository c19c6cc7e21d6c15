using System.Globalization;
using Isolation.Images;

namespace Isolation.Benchmarks;

/// <summary>Debian from a registry of this machine to directories, and back, beside skopeo with umoci, podman and docker.</summary>
internal static class RegistryMode
{
    internal const string ChildMode = "registry-child";
    private const int MostLayers = 12;
    private const double FarBytesASecond = 10e6;
    private static readonly TimeSpan FarWait = TimeSpan.FromMilliseconds(20);

    internal static async Task RunAsync(Options options, Report report)
    {
        report.Heading("Registry", "Debian in three layers in docker-registry on loopback, to an ext4 of its own; what was made is removed before each run, and that is not counted. Nobody but Isolation writes to disk what it has made before it ends: with `syncfs`.");
        try
        {
            await using DebianImage image = await DebianImage.OpenAsync();
            await using DebianRegistry registry = await DebianRegistry.StartAsync(Directory.CreateDirectory(Path.Join(image.Disk, "served")).FullName);
            ImageStore store = await ImageStore.OpenAsync(Path.Join(image.Disk, "store"));
            Image loaded = (await store.LoadAsync(image.Archive))[0];
            ImageReference name = ImageReference.Parse($"{registry.Authority}/debian:1");
            await store.PushAsync(loaded, new() { Client = Anonymous(), Reference = name });
            if (Wants("pull")) await PullAsync(image, name, options, report);
            if (Wants("memory")) await MemoryAsync(image, loaded, name, options, report);
            if (Wants("again")) await AgainAsync(image, registry, options, report);
            if (Wants("far")) await FarAsync(image, registry, loaded, options, report);
            if (Wants("push")) await PushAsync(image, store, loaded, options, report);
        }
        catch (InvalidOperationException exception)
        {
            report.Line($"Not measured: {exception.Message.ReplaceLineEndings(" ")}");
            report.Line();
        }

        bool Wants(string part) => options.Only is null || options.Only == part;
    }

    private static RegistryClient Anonymous() => new(new() { Credentials = (_, _) => ValueTask.FromResult<RegistryCredential?>(null) });

    private static async Task PullAsync(DebianImage image, ImageReference name, Options options, Report report)
    {
        string scratch = Path.Join(image.Disk, "scratch");
        Entry skopeo = Peer("skopeo", "skopeo copy, then umoci unpack", async () =>
        {
            await Tools.RunCapturedAsync("skopeo", "copy", "--src-tls-verify=false", $"docker://{name}", $"oci:{Path.Join(scratch, "layout")}:1");
            await Tools.RunCapturedAsync("umoci", "unpack", "--image", $"{Path.Join(scratch, "layout")}:1", Path.Join(scratch, "bundle"));
        });
        List<Entry> entries =
        [
            skopeo,
            image.Cleaned("**Isolation, PullAsync**", scratch, () => PullOnceAsync(scratch, name)),
            Peer("podman", "podman pull", () => Tools.RunCapturedAsync("unshare", "-m", "podman", "--storage-driver", "overlay", "--root", Path.Join(scratch, "root"), "--runroot", Path.Join(scratch, "run"), "pull", "-q", "--tls-verify=false", name.ToString())),
        ];
        DockerDaemon? daemon = null;
        try
        {
            daemon = await DockerDaemon.StartAsync(image.Scratch("docker"));
            DockerDaemon running = daemon;
            bool isThere = false;
            entries.Add(new("docker pull", async () =>
            {
                await running.RunAsync("pull", "-q", name.ToString());
                isThere = true;
            })
            {
                Before = async () =>
                {
                    if (isThere) await running.RunAsync("rmi", "-f", name.ToString());
                    await image.CleanAsync(null);
                },
            });
        }
        catch (InvalidOperationException exception)
        {
            entries.Add(Entry.Missing("docker pull", exception.Message));
        }

        try
        {
            await Interleaved.RunAsync([.. entries], options.Warmup ?? 1, options.Rounds ?? 10);
        }
        finally
        {
            if (daemon is not null) await daemon.DisposeAsync();
        }

        report.Heading("Pull, ready to run", "Asked for: at most 0.6 times the best of the others on two processors.");
        ImagesMode.Table(report, entries, skopeo);

        Entry Peer(string tool, string label, Func<Task> run) => Tools.Find(tool) is null ? Entry.Missing(label, "not installed") : image.Cleaned(label, scratch, run);
    }

    private static async Task MemoryAsync(DebianImage image, Image loaded, ImageReference name, Options options, Report report)
    {
        string scratch = Path.Join(image.Disk, "scratch");
        int rounds = options.Rounds ?? 5;
        List<string[]> rows = [];
        for (int round = 0; round < rounds; round++)
        {
            await image.CleanAsync(scratch);
            using HeapPeak heap = new();
            long before = GC.GetTotalAllocatedBytes(precise: true);
            await PullOnceAsync(scratch, name);
            rows.Add([$"{round + 1}", Mebibytes(GC.GetTotalAllocatedBytes(precise: true) - before), Mebibytes(heap.Most)]);
        }

        report.Heading("Managed memory of a pull", "All that is allocated, and the most that there was at once, live and dead. Asked for: under 64 MiB at once.");
        report.Table(["pull", "allocated MiB", "most MiB"], rows);
        await image.CleanAsync(scratch);
        using AllocationSampler sampler = new();
        await PullOnceAsync(scratch, name);
        (IReadOnlyList<(string Type, double Share)> types, _) = sampler.Stop();
        report.Table(["type", "share"], types.Take(8).Select(type => (string[])[$"`{type.Type}`", $"{type.Share * 100:F0} %"]));

        // The collector gives up where it cannot keep to a limit: a program that has one is proof.
        ImageReference many = ImageReference.Parse($"{name.Domain}/many:1");
        long size = await PushManyAsync(loaded, image, many, MostLayers);
        await image.CleanAsync(scratch);
        await Tools.RunCapturedAsync("env", $"DOTNET_GCHeapHardLimit={64 << 20:X}", Environment.ProcessPath!, ChildMode, "--out", $"{scratch}={many}");
        report.Line(string.Create(CultureInfo.InvariantCulture, $"An image of {MostLayers} layers, {size / 1e6:0} MB compressed, was pulled by a process whose heap is limited to 64 MiB (`DOTNET_GCHeapHardLimit`)."));
        report.Line();

        static string Mebibytes(long bytes) => (bytes / 1048576.0).ToString("0.0", CultureInfo.InvariantCulture);
    }

    /// <summary>What the process with a limit does.</summary>
    internal static async Task<int> PullAsync(Options options)
    {
        string[] words = options.Out!.Split('=', 2);
        await PullOnceAsync(words[0], ImageReference.Parse(words[1]));
        return 0;
    }

    /// <summary>The layers again and again, each time in another directory.</summary>
    private static async Task<long> PushManyAsync(Image loaded, DebianImage image, ImageReference name, int count)
    {
        using RegistryClient client = Anonymous();
        List<ImageLayer> layers = [];
        string file = Path.Join(image.Scratch("many"), "layer");
        for (int i = 0; i < count; i++)
        {
            await Tools.RunCapturedAsync("sh", "-c", $"rm -rf '{file}.d' && mkdir -p '{file}.d/{i}' && tar xf '{image.Layers[i % image.Layers.Length]}' -C '{file}.d/{i}' && tar -C '{file}.d' -cf '{file}.tar' . && gzip -1 -c '{file}.tar' > '{file}.gz'");
            Descriptor blob = new() { MediaType = MediaTypes.LayerGzip, Digest = await DigestOfAsync(file + ".gz"), Size = new FileInfo(file + ".gz").Length };
            layers.Add(new(blob, await DigestOfAsync(file + ".tar")));
            await client.PutBlobAsync(name, blob, _ => ValueTask.FromResult<Stream>(File.OpenRead(file + ".gz")));
        }

        byte[] config = ImageJson.ToUtf8(loaded.Config with { RootFs = new() { Type = "layers", DiffIds = [.. layers.Select(layer => layer.DiffId)] } }, ImageModel.Default.ImageConfig);
        Descriptor configuration = new() { MediaType = MediaTypes.Config, Digest = Digest.Of(config), Size = config.Length };
        await client.PutBlobAsync(name, configuration, _ => ValueTask.FromResult<Stream>(new MemoryStream(config)));
        Manifest manifest = new() { SchemaVersion = 2, MediaType = MediaTypes.Manifest, Config = configuration, Layers = [.. layers.Select(layer => layer.Descriptor)] };
        await client.PutManifestAsync(name, MediaTypes.Manifest, ImageJson.ToUtf8(manifest, ImageModel.Default.Manifest));
        return layers.Sum(layer => layer.Descriptor.Size);

        static async Task<Digest> DigestOfAsync(string path)
        {
            await using FileStream stream = File.OpenRead(path);
            return Digest.Parse("sha256:" + Convert.ToHexStringLower(await System.Security.Cryptography.SHA256.HashDataAsync(stream)));
        }
    }

    private static async Task PullOnceAsync(string scratch, ImageReference name)
    {
        using RegistryClient client = Anonymous();
        ImageStore fresh = await ImageStore.OpenAsync(Path.Join(scratch, "store"));
        await fresh.PullAsync(name, new() { Client = client });
    }

    private static async Task AgainAsync(DebianImage image, DebianRegistry registry, Options options, Report report)
    {
        await using SlowProxy counting = new(registry.Port, TimeSpan.Zero, 0);
        ImageReference name = ImageReference.Parse($"{counting.Authority}/debian:1");
        using RegistryClient client = Anonymous();
        ImageStore store = await ImageStore.OpenAsync(Path.Join(image.Disk, "again"));
        await store.PullAsync(name, new() { Client = client });
        int before = counting.Requests;
        Entry again = new("PullAsync, where everything is there", () => store.PullAsync(name, new() { Client = client }));
        int warmup = options.Warmup ?? 5, rounds = options.Rounds ?? 50;
        await Interleaved.RunAsync([again], warmup, rounds);
        report.Heading("Pull, where everything is there", "Asked for: one request, under 10 ms.");
        ImagesMode.Table(report, [again], again);
        report.Line(string.Create(CultureInfo.InvariantCulture, $"Requests a pull: {(counting.Requests - before) / (double)(warmup + rounds):0.##}."));
        report.Line();
    }

    private static async Task FarAsync(DebianImage image, DebianRegistry registry, Image loaded, Options options, Report report)
    {
        await using SlowProxy far = new(registry.Port, FarWait, FarBytesASecond);
        string scratch = Path.Join(image.Disk, "scratch");
        Entry pull = image.Cleaned("PullAsync from a far registry", scratch, () => PullOnceAsync(scratch, ImageReference.Parse($"{far.Authority}/debian:1")));
        Entry bare = new("the same blobs by HttpClient, to nowhere", () => Task.WhenAll(loaded.Layers.Select(layer => FetchAsync($"http://{far.Authority}/v2/debian/blobs/{layer.Descriptor.Digest}"))));
        await Interleaved.RunAsync([bare, pull], 0, Math.Min(options.Rounds ?? 3, 3));
        double bytes = loaded.Descriptor.Size + loaded.Manifest.Config.Size + loaded.Layers.Sum(layer => layer.Descriptor.Size), bound = bytes / FarBytesASecond * 1000;
        report.Heading("Pull from far away", string.Create(CultureInfo.InvariantCulture, $"20 ms a request, 10 MB a second in all: {bytes / 1e6:0.0} MB take {bound:0} ms at least. Asked for: at most 1.1 times that."));
        ImagesMode.Table(report, [bare, pull], bare);
        report.Line(string.Create(CultureInfo.InvariantCulture, $"That is {pull.Samples.Median / bound:0.000} times the bound."));
        report.Line();
    }

    private static async Task FetchAsync(string address)
    {
        using HttpClient http = new();
        await using Stream body = await http.GetStreamAsync(address);
        await body.CopyToAsync(Stream.Null);
    }

    private static async Task PushAsync(DebianImage image, ImageStore store, Image loaded, Options options, Report report)
    {
        await using DebianRegistry target = await DebianRegistry.StartAsync(Directory.CreateDirectory(Path.Join(image.Disk, "target")).FullName);
        ImageReference name = ImageReference.Parse($"{target.Authority}/debian:1");
        Func<Task> before = async () =>
        {
            await target.EmptyAsync();
            await image.CleanAsync(null);
        };
        Entry skopeo = Tools.Find("skopeo") is null ? Entry.Missing("skopeo copy", "not installed")
            : new("skopeo copy", () => Tools.RunCapturedAsync("skopeo", "copy", "--dest-tls-verify=false", $"oci:{store.Path}:{DebianImage.Name}", $"docker://{name}")) { Before = before };
        Entry ours = new("**Isolation, PushAsync**", async () =>
        {
            using RegistryClient client = Anonymous();
            await store.PushAsync(loaded, new() { Client = client, Reference = name });
        }) { Before = before };
        await Interleaved.RunAsync([skopeo, ours], options.Warmup ?? 1, options.Rounds ?? 10);
        report.Heading("Push", "To a registry that has nothing. Asked for: ahead of skopeo copy.");
        ImagesMode.Table(report, [skopeo, ours], skopeo);
    }
}
