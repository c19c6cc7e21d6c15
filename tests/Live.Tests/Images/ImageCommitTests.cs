using Isolation.Images;
using Isolation.UnionFs;

namespace Isolation.Live.Tests;

/// <summary>What a container has written: told, made an image, and saved.</summary>
public sealed class ImageCommitTests : IAsyncLifetime
{
    private const string Name = "localhost/isolation/test:1";
    private readonly TemporaryDirectory _directory = new();
    private ImageStore _store = null!;

    public async ValueTask InitializeAsync()
    {
        _store = await ImageStore.OpenAsync(_directory["store"], cancellationToken: Sandbox.Token);
        using ImageArchive archive = await ImageArchive.MakeAsync(Name, """{"Cmd":["sh"],"Env":["A=1"]}""", second =>
        {
            second.Write("gone", "");
            second.Write("data/below", "below");
            second.Write("srv/replaced/hidden", "hidden");
        });
        await _store.LoadAsync(archive.Path, cancellationToken: Sandbox.Token);
    }

    public async ValueTask DisposeAsync()
    {
        (int code, _, string error) = await Sandbox.OnHostAsync("rm", "-rf", _directory["store"]);
        Assert.True(code == 0, error);
        _directory.Dispose();
    }

    [Fact]
    public async Task What_was_changed_is_told()
    {
        await using Container container = await ChangedAsync();

        string[] changes = [.. (await container.DiffAsync(Sandbox.Token)).Select(change => change.ToString())];

        Assert.Equal(["D /gone", "A /new", "A /new/file"], changes.Where(change => change != "C /etc")); // where the launch put the files that every container is given
    }

    [Theory]
    [InlineData(UnionDriver.FuseOverlay)]
    [InlineData(UnionDriver.Copy)]
    public async Task Whoever_unites_the_layers_the_change_and_the_image_are_the_same(UnionDriver driver)
    {
        UnionSupport support = UnionFileSystems.Probe().Single(support => support.Driver == driver);
        Assert.SkipUnless(support.IsAvailable, support.Reason);
        const string Script = "mkdir /new; printf new > /new/file; ln /new/file /new/second; rm /gone; chmod 600 /data/below; ln -s below /data/link; rm -r /srv/replaced; mkdir /srv/replaced; printf 1 > /srv/replaced/one; touch -d @1000 /new/file /new /data /data/link /srv /srv/replaced /srv/replaced/one; touch -h -d @1000 /data/link";
        string[][] trees = new string[2][];
        string[][] changes = new string[2][];
        for (int i = 0; i < 2; i++)
        {
            await using Container container = await new ContainerBuilder().FromImage(Name).WithImageStore(_store).WithUnionDriver(i == 0 ? UnionDriver.Overlay : driver).WithCommand("sh", "-c", Script).StartAsync(Sandbox.Token);
            Assert.Equal("", Sandbox.Output(await container.WaitAsync(Sandbox.Token)));
            changes[i] = [.. (await container.DiffAsync(Sandbox.Token)).Select(change => change.ToString()).Where(IsFileOrNews)];
            Image image = await container.CommitAsync(_store, new() { Reference = ImageReference.Parse($"changed{i}") }, Sandbox.Token);
            UnpackedImage unpacked = await _store.UnpackAsync(image, Sandbox.Token);
            trees[i] = [.. (await new ContainerBuilder().FromImage(unpacked).WithCommand("sh", "-c", "find /new /data /srv -exec stat -c '%n %F %a %s %h %Y' {} + | grep -v directory | sort; test -e /gone || echo gone").LinesAsync())];
        }

        Assert.Equal(changes[0], changes[1]);
        Assert.Contains("D /gone", changes[1]);
        Assert.Contains("A /new/second", changes[1]);
        Assert.Equal(trees[0], trees[1]);
        Assert.Contains("gone", trees[1]);

        // fuse-overlayfs does not keep the times of directories that it copies up.
        static bool IsFileOrNews(string change) => change[0] != 'C' || change.EndsWith("below", StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_changed_becomes_an_image_that_runs_and_can_be_read_by_others()
    {
        await using Container container = await ChangedAsync();

        Image image = await container.CommitAsync(_store, new() { Reference = ImageReference.Parse("changed"), Configure = config => config with { Command = ["cat", "/new/file"] }, Comment = "why" }, Sandbox.Token);

        Assert.Equal(3, image.Layers.Length);
        Assert.Equal("why", image.History[^1].Comment);
        Assert.Equal("new", await new ContainerBuilder().FromImage("changed").WithImageStore(_store).OutputAsync());
        Assert.Equal("below 1", await new ContainerBuilder().FromImage("changed").WithImageStore(_store).WithCommand("sh", "-c", "ls /gone 2> /dev/null; echo $(cat /data/below) $A").OutputAsync());
        foreach (ArchiveFormat format in Enum.GetValues<ArchiveFormat>())
        {
            string path = _directory[$"store/{format}"], again = _directory[$"store/{format}.again"];
            await _store.SaveAsync([image], path, format, Sandbox.Token);
            await _store.SaveAsync([image], again, format, Sandbox.Token);
            Assert.Equal((0, "", ""), await Sandbox.OnHostAsync("diff", "-r", path, again));
            ImageStore second = await ImageStore.OpenAsync(_directory[$"store/of-{format}"], cancellationToken: Sandbox.Token);
            Image loaded = Assert.Single(await second.LoadAsync(path, cancellationToken: Sandbox.Token));
            Assert.Equal(image.Layers.Select(layer => layer.DiffId), loaded.Layers.Select(layer => layer.DiffId));
            Assert.Equal(image.Reference, loaded.Reference);

            // As a user skopeo unpacks an archive of OCI's with its owners, which it may not.
            if (!File.Exists("/usr/bin/skopeo") || (format == ArchiveFormat.Oci && !Lane.IsRoot)) continue;
            string source = format switch { ArchiveFormat.Oci => "oci-archive", ArchiveFormat.Docker => "docker-archive", _ => "oci" };
            (int code, string output, string error) = await Sandbox.OnHostAsync("skopeo", "--tmpdir", _directory.Path, "inspect", "--config", $"{source}:{path}");
            Assert.True(code == 0, error);
            Assert.Contains("/new/file", output, StringComparison.Ordinal);
        }

        Assert.Equal(ImageErrorReason.Conflict, (await Assert.ThrowsAsync<ImageException>(() => _store.SaveAsync([image], _directory["store/Layout"], ArchiveFormat.Layout, Sandbox.Token))).Reason);
    }

    [Fact]
    public async Task What_a_container_sees_is_exported_running_and_ended_and_becomes_an_image()
    {
        await using Container container = await new ContainerBuilder().FromImage(Name).WithImageStore(_store).WithCommand("sh", "-c", "mkdir /new; echo new > /new/file; rm /gone; touch /ready; exec sleep 1000").StartAsync(Sandbox.Token);
        string running = _directory["running.tar"], ended = _directory["ended.tar.gz"];
        while (!(await container.DiffAsync(Sandbox.Token)).Any(change => change.Path == "ready")) await Task.Delay(20, Sandbox.Token);

        await container.ExportAsync(running, cancellationToken: Sandbox.Token);
        Assert.Equal(ContainerState.Running, container.State);
        await container.KillAsync(Sandbox.Token);
        await container.WaitAsync(Sandbox.Token);
        await container.ExportAsync(ended, LayerCompression.Gzip, Sandbox.Token);

        Image image = await _store.ImportAsync(ended, new() { Configure = config => config with { Command = ["sh", "-c", "cat /new/file /data/below; ls /gone 2> /dev/null; stat -c %u /data /new"] } }, cancellationToken: Sandbox.Token);
        Assert.Equal(image.Layers[0].DiffId, Digest.Of(await File.ReadAllBytesAsync(running, Sandbox.Token)));
        Assert.Equal("new\nbelow0\n0", await new ContainerBuilder().FromImage(image).WithImageStore(_store).OutputAsync());
        (_, string names, _) = await Sandbox.OnHostAsync("tar", "-tf", running);
        Assert.Equal(["etc/hostname", "etc/hosts", "etc/resolv.conf"], names.Split('\n').Where(name => name.StartsWith("etc/", StringComparison.Ordinal) && name.Length > 4).Order()); // the image's own, and not the container's
        (_, string hosts, _) = await Sandbox.OnHostAsync("tar", "-xOf", running, "etc/hosts");
        Assert.Equal("lower etc/hosts\n", hosts);
    }

    [Fact]
    public async Task With_a_time_the_same_change_is_the_same_image()
    {
        CommitOptions options = new() { Created = DateTimeOffset.UnixEpoch.AddYears(50) };
        Digest[] digests = new Digest[2];
        for (int i = 0; i < 2; i++)
        {
            await using Container container = await ChangedAsync();
            digests[i] = (await container.CommitAsync(_store, options, Sandbox.Token)).Digest;
        }

        Assert.Equal(digests[0], digests[1]);
    }

    [Fact]
    public async Task What_nobody_needs_is_collected_and_what_somebody_uses_is_not()
    {
        await using Container container = await ChangedAsync();
        Image image = await container.CommitAsync(_store, new() { Reference = ImageReference.Parse("changed") }, Sandbox.Token);
        Assert.Equal(default, await _store.CollectAsync(Sandbox.Token));
        UnpackedImage? used = await _store.UnpackAsync(image, Sandbox.Token);
        Assert.True(await _store.RemoveAsync(ImageReference.Parse("changed"), Sandbox.Token));

        Assert.Equal(default, await _store.CollectAsync(Sandbox.Token));

        GC.KeepAlive(used);
        used = null;
        CollectionResult collected = default;
        while (collected.Blobs == 0)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            collected = await _store.CollectAsync(Sandbox.Token);
            await Task.Delay(20, Sandbox.Token);
        }

        Assert.Equal((3, 1), (collected.Blobs, collected.Layers));
        Assert.Empty(await _store.VerifyAsync(Sandbox.Token));
        Assert.Equal("1", await new ContainerBuilder().FromImage(Name).WithImageStore(_store).WithCommand("sh", "-c", "echo $A").OutputAsync());
    }

    [Fact]
    public async Task Damage_is_found_and_named()
    {
        Image image = await _store.GetAsync(ImageReference.Parse(Name), cancellationToken: Sandbox.Token);
        UnpackedImage unpacked = await _store.UnpackAsync(image, Sandbox.Token);
        await File.AppendAllTextAsync(Path.Join(unpacked.Layers[1], "data/below"), "!", Sandbox.Token);
        Assert.Equal((image.Layers[1].DiffId, true), (await _store.VerifyAsync(Sandbox.Token)).Select(damage => (damage.What, damage.IsLayer)).Single());
        string blob = Path.Join(_store.Path, "blobs/sha256", image.Layers[0].Descriptor.Digest.Encoded);
        await File.WriteAllBytesAsync(blob, [], Sandbox.Token);

        StoreDamage[] damages = [.. (await _store.VerifyAsync(Sandbox.Token)).OrderBy(damage => damage.IsLayer)];

        Assert.Equal([image.Layers[0].Descriptor.Digest, image.Layers[1].DiffId], damages.Select(damage => damage.What));
        Assert.All(damages, damage => Assert.Equal([Name], damage.Images));
    }

    private async Task<Container> ChangedAsync()
    {
        Container container = await new ContainerBuilder().FromImage(Name).WithImageStore(_store).WithCommand("sh", "-c", "mkdir /new; printf new > /new/file; rm /gone; touch -d @1000 /new/file /new").StartAsync(Sandbox.Token);
        await container.WaitAsync(Sandbox.Token);
        return container;
    }
}
