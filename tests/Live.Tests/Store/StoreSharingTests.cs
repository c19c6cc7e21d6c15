using System.Diagnostics;
using System.Globalization;
using Isolation.Images;
using Isolation.Nested;

namespace Isolation.Live.Tests;

/// <summary>Several programs, and one store.</summary>
public sealed class StoreSharingTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly List<Process> _processes = [];

    private string Store => _directory["store"];

    private static ImageReference New { get; } = ImageReference.Parse(StoreImages.New);

    [Fact]
    public async Task Programs_that_unpack_one_image_at_the_same_time_unpack_each_layer_once()
    {
        ImageStore store = await LoadedAsync();
        Process[] programs = [.. Enumerable.Range(0, 3).Select(_ => Start("unpack", Store, StoreImages.New))];
        foreach (Process program in programs) await ReadyAsync(program);

        foreach (Process program in programs) await program.StandardInput.WriteLineAsync(); // all of them now
        int unpacked = 0;
        foreach (Process program in programs) unpacked += int.Parse((await program.StandardOutput.ReadLineAsync(Sandbox.Token))!, CultureInfo.InvariantCulture);

        Image image = await store.GetAsync(New, cancellationToken: Sandbox.Token);
        Assert.Equal(image.Layers.Length + Directory.GetDirectories(Path.Join(Store, "isolation/directories")).Length, unpacked);
        Assert.Single(Directory.GetDirectories(Path.Join(Store, "isolation/directories")));
        Assert.Equal(image.Layers.Length, Directory.GetDirectories(Path.Join(Store, "isolation/layers")).Length);
        Assert.Empty(await store.VerifyAsync(Sandbox.Token));
    }

    [Fact]
    public async Task What_a_program_uses_is_kept_until_it_is_killed()
    {
        ImageStore store = await LoadedAsync();
        Process program = Start("hold", Store, StoreImages.New);
        await ReadyAsync(program);
        await store.RemoveAsync(New, Sandbox.Token);

        Assert.Equal(default, await store.CollectAsync(Sandbox.Token));

        program.Kill();
        await program.WaitForExitAsync(Sandbox.Token);
        CollectionResult collected = await store.CollectAsync(Sandbox.Token);
        Assert.Equal((4, 2), (collected.Blobs, collected.Layers)); // the lowest layer is another image's too
        Assert.Equal("nothing", await StoreCheck.SoundAsync(Store));
    }

    [Fact]
    public async Task What_a_container_runs_from_is_kept_until_it_is_gone()
    {
        using ImageArchive archive = await ImageArchive.MakeAsync("localhost/kept:1", """{"Cmd":["sleep","1000"]}""");
        ImageStore store = await ImageStore.OpenAsync(Store, cancellationToken: Sandbox.Token);
        await store.LoadAsync(archive.Path, cancellationToken: Sandbox.Token);
        await using (Container container = await new ContainerBuilder().FromImage("localhost/kept:1").WithImageStore(store).StartAsync(Sandbox.Token))
        {
            await store.RemoveAsync(ImageReference.Parse("localhost/kept:1"), Sandbox.Token);
            StoreCheck.LetGo();
            Assert.Equal(default, await store.CollectAsync(Sandbox.Token));
            Assert.Equal("still here", (await container.ExecAsync(["echo", "still here"], cancellationToken: Sandbox.Token)).StandardOutput.Trim());
        }
    }

    [Fact]
    public async Task Programs_that_load_commit_remove_and_collect_at_the_same_time_do_not_disturb_each_other()
    {
        string sources = _directory.MakeDirectory("sources");
        StoreImages.MakeOld(sources);
        StoreImages.MakeNew(sources);
        Process[] programs = [.. Enumerable.Range(0, 3).Select(i => Start("churning", Store, sources, $"p{i}", "6"))];

        foreach (Process program in programs)
        {
            string said = await program.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken), error = await program.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            await program.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.True(program.ExitCode == 0, error);
            Assert.Equal(1 + 4 * 6, said.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        }

        ImageStore store = await ImageStore.OpenAsync(Store, cancellationToken: Sandbox.Token);
        Assert.Empty(await store.ListAsync(Sandbox.Token));
        await store.CollectAsync(Sandbox.Token);
        Assert.Equal(default, await store.GetUsageAsync(Sandbox.Token));
        Assert.Equal("nothing", await StoreCheck.SoundAsync(Store));
    }

    [Fact]
    public async Task A_store_that_cannot_be_written_is_read_and_run_from_and_says_so_where_it_is_written()
    {
        ImageStore store = await LoadedAsync();
        await StoreOperation.UnpackAsync(store, StoreImages.Old);
        string archive = StoreImages.MakeNew(_directory.MakeDirectory("other"));

        ContainerResult result = await NestedProgram.Container("store", "read-only", "/data", "/archive").WithReadOnlyBind(Store, "/data").WithReadOnlyBind(archive, "/archive").ResultAsync();

        Assert.Equal(
            ["list 2", "usage 2", "unpack 2", "save done", "tag NotPermitted EROFS", "remove NotPermitted EROFS", "load NotPermitted EROFS", "collect NotPermitted EROFS"],
            Sandbox.Output(result).Split('\n'));
    }

    public void Dispose()
    {
        foreach (Process process in _processes)
        {
            if (!process.HasExited) process.Kill();
            process.Dispose();
        }

        StoreCheck.LetGo();
        _directory.Dispose();
    }

    private async Task<ImageStore> LoadedAsync()
    {
        ImageStore store = await ImageStore.OpenAsync(Store, cancellationToken: Sandbox.Token);
        string sources = _directory.MakeDirectory("sources");
        await store.LoadAsync(StoreImages.MakeOld(sources), cancellationToken: Sandbox.Token);
        await store.LoadAsync(StoreImages.MakeNew(sources), cancellationToken: Sandbox.Token);
        return store;
    }

    private Process Start(params string[] words)
    {
        Process process = StoreKiller.Start(words);
        _processes.Add(process);
        return process;
    }

    private static async Task ReadyAsync(Process process)
    {
        if (await process.StandardOutput.ReadLineAsync(Sandbox.Token) != "ready") Assert.Fail(await process.StandardError.ReadToEndAsync(Sandbox.Token));
    }
}
