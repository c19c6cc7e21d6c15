using Isolation.Images;
using Isolation.UnionFs;

namespace Isolation.Live.Tests;

/// <summary>Directories that are filled from the root on first use.</summary>
[Trait("Lane", "VM")]
public sealed class VolumeTests : IDisposable
{
    private readonly TestRoot _base = new(parent: Lane.Disk);
    private readonly TemporaryDirectory _files = new();

    public void Dispose()
    {
        _files.Dispose();
        _base.Dispose();
    }

    [Fact]
    public async Task It_gets_what_the_layers_have_there_once_and_keeps_what_is_written()
    {
        _base.Write("data/lower", "lower");
        _files.Write("1/data/upper", "upper");
        File.CreateSymbolicLink(_base["data/link"], "lower");

        Assert.Equal("link\nlower\nupper\nlower", await Shell("ls /data; cat /data/link; rm /data/upper; echo mine > /data/new").OutputAsync());
        Assert.Equal("link\nlower\nnew\nmine", await Shell("ls /data; cat /data/new").OutputAsync());

        Assert.Equal("mine\n", await File.ReadAllTextAsync(_files["volume/new"], Sandbox.Token));
        Assert.False(File.Exists(_base["data/new"]));

        ContainerBuilder Shell(string script) => Layers(script).WithVolume(_files["volume"], "/data");
    }

    [Fact]
    public async Task Over_a_directory_root_it_is_filled_likewise_and_where_nothing_is_it_stays_empty()
    {
        _base.Write("data/lower", "lower");
        _base.MakeDirectory("srv/none"); // where it is missing it takes an overlay, which user namespaces have from Linux 5.11 on
        ContainerBuilder builder = new ContainerBuilder().FromDirectory(_base.Path).WithCommand("sh", "-c", "ls /data; echo x > /srv/none/y; ls /srv/none")
            .WithVolume(_files["one"], "/data").WithVolume(_files["two"], "/srv/none");

        Assert.Equal("lower\ny", await builder.OutputAsync());
    }

    [Theory]
    [InlineData(null)]
    [InlineData(UnionDriver.Copy)]
    public async Task One_of_the_containers_own_is_gone_with_it(UnionDriver? driver)
    {
        _base.Write("data/lower", "lower");
        ContainerBuilder builder = Layers("cat /data/lower; echo mine > /data/new; echo other > /volume/x; cat /data/new").WithVolume("/data").WithVolume("/volume");
        if (driver is { } named) builder.WithUnionDriver(named);
        await using Container container = await builder.StartAsync(Sandbox.Token);
        Assert.Equal("lowermine", Sandbox.Output(await container.WaitAsync(Sandbox.Token)));
        Assert.True(File.Exists($"{LaunchDirectory.PathOf(container.Id)}/volumes/0/new"));
        Assert.DoesNotContain(await container.DiffAsync(Sandbox.Token), change => change.Path.StartsWith("data/", StringComparison.Ordinal));

        await container.DisposeAsync();

        Assert.False(Directory.Exists(LaunchDirectory.PathOf(container.Id)));
    }

    [Fact]
    public async Task To_a_container_with_an_identity_map_it_belongs_as_the_layers_do()
    {
        Lane.RequiresRoot("files are given to others");
        _base.Write("data/lower", "lower");
        ContainerBuilder builder = Layers("stat -c %u:%g /data /data/lower; echo mine > /data/new; stat -c %u /data/new").WithVolume("/data")
            .WithUserMapping(new IdMapping(0, 100000, 65536)).WithGroupMapping(new IdMapping(0, 100000, 65536));

        Assert.Equal("0:0\n0:0\n0", await builder.OutputAsync());
    }

    [Theory]
    [InlineData(null)]
    [InlineData(UnionDriver.Copy)]
    public async Task What_other_users_of_the_container_made_is_removed_too(UnionDriver? driver)
    {
        ContainerBuilder builder = Layers("mkdir /data/own /bin/own; echo 1 > /data/own/file; echo 1 > /bin/own/file; chown -R 5:5 /data/own /bin/own; chmod 700 /data/own /bin/own; stat -c %u /data/own").WithVolume("/data");
        SubordinateRange.Use(builder);
        if (driver is { } named) builder.WithUnionDriver(named);
        await using Container container = await builder.StartAsync(Sandbox.Token);
        Assert.Equal("5", Sandbox.Output(await container.WaitAsync(Sandbox.Token)));
        Assert.True(Directory.Exists(LaunchDirectory.PathOf(container.Id)));

        await container.DisposeAsync();

        Assert.False(Directory.Exists(LaunchDirectory.PathOf(container.Id)));
    }

    [Fact]
    public async Task An_image_that_names_volumes_has_them_unless_a_mount_is_said()
    {
        ImageStore store = await ImageStore.OpenAsync(_files["store"], cancellationToken: Sandbox.Token);
        try
        {
            using ImageArchive archive = await ImageArchive.MakeAsync("localhost/isolation/volumes:1", """{"Cmd":["sh"],"Volumes":{"/data":{},"/other":{}}}""", second => second.Write("data/below", "below"));
            await store.LoadAsync(archive.Path, cancellationToken: Sandbox.Token);
            ContainerBuilder builder = new ContainerBuilder().FromImage("localhost/isolation/volumes:1").WithImageStore(store).WithTmpfs("/other");
            await using Container container = await builder.WithCommand("sh", "-c", "cat /data/below; echo mine > /data/new; ls /other").StartAsync(Sandbox.Token);
            Assert.Equal("below", Sandbox.Output(await container.WaitAsync(Sandbox.Token)));
            Assert.Equal(["/data"], container.Spec.Mounts.OfType<VolumeMount>().Select(volume => volume.Target));
            Assert.DoesNotContain(await container.DiffAsync(Sandbox.Token), change => change.Path == "data/new");
        }
        finally
        {
            (int code, _, string error) = await Sandbox.OnHostAsync("rm", "-rf", _files["store"]);
            Assert.True(code == 0, error);
        }
    }

    private ContainerBuilder Layers(string script) => new ContainerBuilder().FromLayers([_base.Path, _files.MakeDirectory("1")]).WithCommand("sh", "-c", script);
}
