// Takes an image from a registry or from an archive (docker save, podman save, skopeo copy), lists what the store has, runs it,
// tells what it changed, makes that a new image, and pushes it or saves it.
using Isolation;
using Isolation.Images;
using Isolation.UnionFs;
using Spectre.Console;

if (args is not [string from, ..])
{
    AnsiConsole.MarkupLine("Usage: dotnet run --project samples/Images -- [blue]IMAGE|ARCHIVE[/] [grey][[STORE [[IMAGE|ARCHIVE.tar]]]][/]");
    return 2;
}

try
{
    ImageStore store = await ImageStore.OpenAsync(args.ElementAtOrDefault(1));
    Image image = File.Exists(from) ? await LoadAsync(store, from) : await TransferAsync(progress => store.PullAsync(ImageReference.Parse(from), new() { Progress = progress }));

    Table table = new Table().AddColumns("name", "platform", "layers", "digest");
    foreach (Image each in await store.ListAsync()) table.AddRow(Markup.Escape(each.Reference?.ToFamiliarString() ?? "-"), $"{each.Platform}", $"{each.Layers.Length}", each.Digest.ToString()[..19]);
    AnsiConsole.Write(table);

    await using Container container = await new ContainerBuilder().FromImage(image).WithImageStore(store)
        .WithEntrypoint("/bin/sh", "-c").WithCommand("cat /etc/os-release; echo changed > /changed").StartAsync();
    ContainerResult result = await container.WaitAsync();
    Console.Write(result.StandardOutput);
    Console.Error.Write(result.StandardError);
    foreach (UnionChange change in await container.DiffAsync()) Console.WriteLine(change);

    string to = args.ElementAtOrDefault(2) ?? "changed.tar";
    bool isArchive = to.EndsWith(".tar", StringComparison.Ordinal);
    CommitOptions commit = new() { Reference = ImageReference.Parse(isArchive ? "localhost/changed" : to), Configure = config => config with { Command = ["cat", "/changed"] }, Comment = "a sample" };
    Image made = await container.CommitAsync(store, commit);
    if (isArchive) await store.SaveAsync([made], to);
    else await TransferAsync(progress => store.PushAsync(made, new() { Progress = progress }));
    Console.WriteLine($"{made}, made of {made.Parents[0]}, {(isArchive ? $"is saved in {to}" : "is pushed")}");
    return result.ExitCode ?? 1;
}
catch (Exception exception) when (exception is ImageException or ContainerException or FormatException)
{
    Console.Error.WriteLine(exception.Message);
    return 1;
}

static Task<Image> LoadAsync(ImageStore store, string archive) => AnsiConsole.Progress().StartAsync(async context =>
{
    ProgressTask task = context.AddTask(Markup.Escape(Path.GetFileName(archive)), maxValue: new FileInfo(archive).Length);
    IReadOnlyList<Image> loaded = await store.LoadAsync(archive, new() { Progress = new Progress<long>(bytes => task.Value = bytes) });
    task.Value = task.MaxValue;
    return loaded[0];
});

// A bar for each blob.
static Task<T> TransferAsync<T>(Func<IProgress<TransferProgress>, Task<T>> transfer) => AnsiConsole.Progress().Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new DownloadedColumn(), new TransferSpeedColumn()).StartAsync(context =>
{
    Dictionary<Digest, ProgressTask> bars = [];
    return transfer(new Progress<TransferProgress>(progress =>
    {
        if (progress.Blob is not { Size: > 0 } blob) return;
        lock (bars)
        {
            if (!bars.TryGetValue(blob.Digest, out ProgressTask? bar)) bars.Add(blob.Digest, bar = context.AddTask(blob.Digest.Encoded[..12], maxValue: blob.Size));
            bar.Value = Math.Max(bar.Value, progress.BlobBytes); // they may come in another order
        }
    }));
});
