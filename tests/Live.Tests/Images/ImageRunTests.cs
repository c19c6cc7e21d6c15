using Isolation.Images;

namespace Isolation.Live.Tests;

/// <summary>Images from an archive into a store, and from the store into containers.</summary>
public sealed class ImageRunTests : IAsyncLifetime
{
    private const string Name = "localhost/isolation/test:1";
    private readonly TemporaryDirectory _directory = new();
    private ImageStore _store = null!;

    public async ValueTask InitializeAsync() => _store = await ImageStore.OpenAsync(_directory["store"], cancellationToken: Sandbox.Token);

    public async ValueTask DisposeAsync()
    {
        (int code, _, string error) = await Sandbox.OnHostAsync("rm", "-rf", _directory["store"]);
        Assert.True(code == 0, error);
        _directory.Dispose();
    }

    [Fact]
    public async Task What_an_image_says_holds_where_no_call_says_otherwise()
    {
        await LoadAsync("""{"Entrypoint":["sh","-c"],"Cmd":["echo $COLOUR $PATH; pwd; id -u; cat /added"],"Env":["COLOUR=blue","PATH=/bin"],"WorkingDir":"/made/for/it","User":"7:8"}""", second => second.Write("added", "added\n"));

        Assert.Equal("blue /bin\n/made/for/it\n7\nadded", await (Lane.IsRoot ? Run() : Run().WithSubordinateIds()).OutputAsync());
        Assert.Equal("red\n/\n0", await Run().WithCommand("echo $COLOUR; pwd; id -u").WithEnvironment("COLOUR", "red").WithWorkingDirectory("/").WithUser("0").OutputAsync());
        Assert.Equal("mine", await Run().WithEntrypoint("echo").WithCommand("mine").WithUser("0").OutputAsync());
        Assert.Contains("no command", (await Assert.ThrowsAsync<InvalidOperationException>(() => Run().WithEntrypoint().RunAsync(Sandbox.Token))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/proc/self/fd/3")]
    [InlineData("/proc/self/fd/5/../../..")]
    [InlineData("/proc/1/root")]
    public async Task A_working_directory_that_leads_out_is_refused_whoever_says_it(string path)
    {
        await LoadAsync($$"""{"Cmd":["pwd"],"WorkingDir":"{{path}}"}""");
        ContainerException refusal = await Run().RefusalAsync();

        Assert.Equal(ContainerErrorReason.WorkingDirectoryNotFound, refusal.Reason);
    }

    [Fact]
    public async Task What_an_image_sets_for_the_loader_reaches_its_program_alone()
    {
        await LoadAsync("""{"Cmd":["sh","-c","echo $LD_PRELOAD $DOTNET_STARTUP_HOOKS"],"Env":["PATH=/bin","LD_PRELOAD=/evil.so","DOTNET_STARTUP_HOOKS=/evil.dll"]}""", second => second.Write("evil.so", "no library\n"));

        Assert.Equal("/evil.so /evil.dll", await Run().OutputAsync());
        Assert.Null(Environment.GetEnvironmentVariable("LD_PRELOAD"));
    }

    [Fact]
    public async Task Containers_of_one_image_share_its_layers_and_nothing_else()
    {
        Image image = await LoadAsync("""{"Cmd":["sh","-c","cat /shared; echo mine > /shared; cat /shared"]}""", second => second.Write("shared", "theirs\n"));
        UnpackedImage unpacked = await _store.UnpackAsync(image, Sandbox.Token);
        string[] before = [.. unpacked.Layers.SelectMany(TreeSnapshot.Of)];

        string[] outputs = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => new ContainerBuilder().FromImage(unpacked).OutputAsync()));

        Assert.All(outputs, output => Assert.Equal("theirs\nmine", output));
        string[] after = [.. unpacked.Layers.SelectMany(TreeSnapshot.Of)];
        Assert.Equal(before, after);
    }

    [Fact]
    public async Task Read_only_it_cannot_be_written()
    {
        await LoadAsync("""{"Cmd":["sh","-c","touch /x 2> /dev/null || echo no"]}""");

        Assert.Equal("no", await Run().WithImageAccess(RootAccess.ReadOnly).OutputAsync());
    }

    [Fact]
    public async Task Who_unpacks_at_the_same_time_unpacks_once()
    {
        Image image = await LoadAsync("""{"Cmd":["true"]}""");
        ImageStore[] stores = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => ImageStore.OpenAsync(_store.Path, cancellationToken: Sandbox.Token)));

        UnpackedImage[] unpacked = await Task.WhenAll(stores.Select(store => store.UnpackAsync(image, Sandbox.Token)));

        Assert.All(unpacked, each => Assert.Equal(unpacked[0].Layers, each.Layers));
        Assert.Equal(2, Directory.GetDirectories(Path.Join(_store.Path, "isolation/layers")).Length);
        Assert.Empty(Directory.GetFileSystemEntries(Path.Join(_store.Path, "isolation/temporary")));
    }

    [Fact]
    public async Task Names_are_given_and_taken_away()
    {
        Image image = await LoadAsync("""{"Cmd":["true"]}""");
        ImageReference other = ImageReference.Parse("other");

        await _store.TagAsync(image, other, Sandbox.Token);

        Assert.Equal([Name, "docker.io/library/other:latest"], (await _store.ListAsync(Sandbox.Token)).Select(each => each.Reference!.ToString()));
        Assert.Equal(image.Digest, (await _store.GetAsync(other, cancellationToken: Sandbox.Token)).Digest);
        Assert.Equal(image.Digest, (await _store.GetAsync(other.WithDigest(image.Digest), cancellationToken: Sandbox.Token)).Digest);
        Assert.True(await _store.RemoveAsync(other, Sandbox.Token));
        Assert.False(await _store.RemoveAsync(other, Sandbox.Token));
        ImageException exception = await Assert.ThrowsAsync<ImageException>(() => new ContainerBuilder().FromImage("other").WithImageStore(_store).WithPullPolicy(PullPolicy.Never).RunAsync(Sandbox.Token));
        Assert.Equal(ImageErrorReason.NotFound, exception.Reason);
        Assert.Null(await _store.FindAsync(ImageReference.Parse(Name), Platform.Parse("windows/amd64"), Sandbox.Token));
    }

    [Fact]
    public async Task An_image_for_another_platform_is_refused_by_name_unless_it_is_asked_for()
    {
        Platform other = Platform.Parse(Platform.Current.Architecture == "arm64" ? "linux/amd64" : "linux/arm64");
        Image native = await LoadAsync("""{"Cmd":["echo","native"]}""");
        Image image = await _store.ImportAsync((await _store.UnpackAsync(native, Sandbox.Token)).Layers[0], new() { Reference = ImageReference.Parse("other"), Configure = _ => native.Config.Config! }, other, Sandbox.Token);

        foreach (ContainerBuilder builder in (ContainerBuilder[])[new ContainerBuilder().FromImage(image), new ContainerBuilder().FromImage("other"), Run().WithPlatform(other)])
        {
            ImageException exception = await Assert.ThrowsAsync<ImageException>(() => builder.WithImageStore(_store).WithPullPolicy(PullPolicy.Never).RunAsync(Sandbox.Token));
            Assert.Matches("is for linux/[a-z0-9]+, and not for linux/[a-z0-9]+", exception.Message);
        }

        // Its programs are this machine's, whatever it says: so it runs where a kernel knows how to.
        Assert.Equal("native", await new ContainerBuilder().FromImage("other").WithPlatform(other).WithImageStore(_store).OutputAsync());
    }

    [Fact]
    public async Task A_damaged_blob_is_named_and_nothing_of_it_is_left()
    {
        Image image = await LoadAsync("""{"Cmd":["true"]}""");
        string blob = Path.Join(_store.Path, "blobs/sha256", image.Layers[1].Descriptor.Digest.Encoded);
        byte[] bytes = await File.ReadAllBytesAsync(blob, Sandbox.Token);
        bytes[600] ^= 1;
        await File.WriteAllBytesAsync(blob, bytes, Sandbox.Token);

        ImageException exception = await Assert.ThrowsAsync<ImageException>(() => _store.UnpackAsync(image, Sandbox.Token));

        Assert.Equal(ImageErrorReason.DigestMismatch, exception.Reason);
        Assert.Contains(image.Layers[1].Descriptor.Digest.ToString(), exception.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(Path.Join(_store.Path, "isolation/temporary")));
        await File.WriteAllBytesAsync(blob, [], Sandbox.Token);
        Assert.Equal(ImageErrorReason.Damaged, (await Assert.ThrowsAsync<ImageException>(() => _store.UnpackAsync(image, Sandbox.Token))).Reason);
    }

    [Fact]
    public async Task Skopeo_reads_the_store_and_what_it_writes_is_loaded()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/skopeo"), "there is no skopeo");
        Image image = await LoadAsync("""{"Cmd":["echo","from skopeo"]}""");
        foreach (string target in (string[])["oci-archive", "docker-archive", "oci"])
        {
            string to = _directory[target];
            (int code, _, string error) = await Sandbox.OnHostAsync("skopeo", "--tmpdir", _directory.Path, "copy", $"oci:{_store.Path}:{Name}", $"{target}:{to}:localhost/copied:2");
            Assert.True(code == 0, error);
            ImageStore second = await ImageStore.OpenAsync(_directory["store/of-" + target], cancellationToken: Sandbox.Token);

            Image loaded = Assert.Single(await second.LoadAsync(to, cancellationToken: Sandbox.Token));

            Assert.Equal("localhost/copied:2", loaded.Reference!.ToString());
            Assert.Equal(image.Layers.Select(layer => layer.DiffId), loaded.Layers.Select(layer => layer.DiffId));
            Assert.Equal("from skopeo", await new ContainerBuilder().FromImage("localhost/copied:2").WithImageStore(second).OutputAsync());
        }
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("bzip2")]
    public async Task Compressed_archives_are_loaded(string program)
    {
        using ImageArchive archive = await ImageArchive.MakeAsync(Name, """{"Cmd":["echo","ok"]}""");
        (int code, _, string error) = await Sandbox.OnHostAsync(program, archive.Path);
        Assert.True(code == 0, error);

        await _store.LoadAsync(Directory.GetFiles(Path.GetDirectoryName(archive.Path)!, "image.tar.*").Single(), cancellationToken: Sandbox.Token);

        Assert.Equal("ok", await Run().OutputAsync());
    }

    private ContainerBuilder Run() => new ContainerBuilder().FromImage(Name).WithImageStore(_store);

    private async Task<Image> LoadAsync(string program, Action<TemporaryDirectory>? fill = null)
    {
        using ImageArchive archive = await ImageArchive.MakeAsync(Name, program, fill);
        return Assert.Single(await _store.LoadAsync(archive.Path, cancellationToken: Sandbox.Token));
    }
}
