// Loads an archive of images (docker save, podman save, skopeo copy), lists what the store has, runs the first image that was loaded,
// tells what it changed, makes that a new image, and saves it.
using Isolation;
using Isolation.Images;
using Isolation.UnionFs;
using Spectre.Console;

if (args is not [string archive, ..])
{
    AnsiConsole.MarkupLine("Usage: dotnet run --project samples/Images -- [blue]ARCHIVE[/] [grey][[STORE [[SAVED]]]][/]");
    return 2;
}

ImageStore store = await ImageStore.OpenAsync(args.ElementAtOrDefault(1));
IReadOnlyList<Image> images = await AnsiConsole.Progress().StartAsync(async context =>
{
    ProgressTask task = context.AddTask(Markup.Escape(Path.GetFileName(archive)), maxValue: File.Exists(archive) ? new FileInfo(archive).Length : 1);
    IReadOnlyList<Image> loaded = await store.LoadAsync(archive, new() { Progress = new Progress<long>(bytes => task.Value = bytes) });
    task.Value = task.MaxValue;
    return loaded;
});

Table table = new Table().AddColumns("name", "platform", "layers", "digest");
foreach (Image each in await store.ListAsync()) table.AddRow(Markup.Escape(each.Reference?.ToFamiliarString() ?? "-"), $"{each.Platform}", $"{each.Layers.Length}", each.Digest.ToString()[..19]);
AnsiConsole.Write(table);

await using Container container = await new ContainerBuilder().FromImage(images[0]).WithImageStore(store)
    .WithEntrypoint("/bin/sh", "-c").WithCommand("cat /etc/os-release; echo changed > /changed").StartAsync();
ContainerResult result = await container.WaitAsync();
Console.Write(result.StandardOutput);
Console.Error.Write(result.StandardError);
foreach (UnionChange change in await container.DiffAsync()) Console.WriteLine(change);

Image made = await container.CommitAsync(store, new() { Reference = ImageReference.Parse("localhost/changed"), Configure = config => config with { Command = ["cat", "/changed"] }, Comment = "a sample" });
string saved = args.ElementAtOrDefault(2) ?? "changed.tar";
await store.SaveAsync([made], saved);
Console.WriteLine($"{made}, made of {made.Parents[0]}, is saved in {saved}");
return result.ExitCode ?? 1;
