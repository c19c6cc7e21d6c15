using System.Collections.Immutable;
using Isolation.Images;
using Isolation.Nested;

namespace Isolation.Live.Tests;

/// <summary>Images go to Debian's registry and come back, and run.</summary>
public sealed class RegistryPullTests
{
    [Theory]
    [InlineData("open")]
    [InlineData("password")]
    [InlineData("token")]
    [InlineData("identity token")]
    [InlineData("tls")]
    public async Task An_image_goes_there_and_comes_back(string kind)
    {
        RegistryProcess.Require();
        using TestCertificates certificates = new();
        await using TokenServer tokens = new();
        RegistryProcess registry = await RegistryProcess.StartAsync(kind == "password", kind.EndsWith("token", StringComparison.Ordinal) ? tokens : null, kind == "tls" ? certificates.Server : null);
        await using RegistryFixture fixture = await RegistryFixture.MakeAsync(registry: registry);
        ImageReference name = ImageReference.Parse($"{registry.Authority}/team/tool:1");
        RegistryOptions options = new() { Credentials = RegistryFixture.Nobody };
        options = kind switch
        {
            "password" or "token" => options with { Credentials = RegistryFixture.Tester },
            "identity token" => options with { Credentials = (_, _) => ValueTask.FromResult<RegistryCredential?>(RegistryCredential.OfIdentityToken(TokenServer.IdentityToken)) },
            "tls" => options with { Registries = options.Registries.Add(registry.Authority, new() { CertificateAuthorities = [certificates.Authority] }) },
            _ => options,
        };
        RegistryClient client = fixture.Client(options);

        Descriptor pushed = await fixture.Source.PushAsync(fixture.Image, new() { Client = client, Reference = name }, Sandbox.Token);
        Image pulled = await fixture.Store.PullAsync(name, new() { Client = client }, Sandbox.Token);

        Assert.Equal(fixture.Image.Digest, pulled.Digest);
        Assert.Equal(pushed.Digest, pulled.Digest);
        Assert.Equal(name, pulled.Reference);
        Assert.Equal("hello from afar", await RegistryFixture.RunAsync(fixture.Store, pulled));
        Assert.Equal(["1"], await client.ListTagsAsync(name, Sandbox.Token).ToListAsync(Sandbox.Token));
        Assert.Empty(fixture.Partial);
        if (kind == "token") Assert.All(tokens.Scopes, scope => Assert.StartsWith("repository:team/tool:", scope, StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_is_there_takes_one_request_and_a_digest_none()
    {
        await using RegistryFixture fixture = await RegistryFixture.MakeAsync();
        await fixture.PushAsync();
        Image first = await fixture.PullAsync();
        fixture.Proxy.Requests.Clear();

        Image again = await fixture.PullAsync();

        Assert.Equal(first.Digest, again.Digest);
        Assert.Equal("HEAD /v2/team/tool/manifests/1", Assert.Single(fixture.Proxy.Requests));
        fixture.Proxy.Requests.Clear();
        Assert.Equal(first.Digest, (await fixture.Store.PullAsync(fixture.Name.WithDigest(first.Digest), new() { Client = fixture.Client() }, Sandbox.Token)).Digest);
        Assert.Empty(fixture.Proxy.Requests);
    }

    [Fact]
    public async Task Layers_that_are_there_are_not_asked_for()
    {
        await using RegistryFixture fixture = await RegistryFixture.MakeAsync();
        await fixture.PushAsync();
        await fixture.PullAsync();
        await using Container container = await new ContainerBuilder().FromImage(fixture.Image).WithImageStore(fixture.Source).WithCommand("/bin/sh", "-c", "echo changed > /greeting").StartAsync(Sandbox.Token);
        Sandbox.Output(await container.EndAsync());
        Image changed = await container.CommitAsync(fixture.Source, new() { Reference = fixture.Name }, Sandbox.Token);
        await fixture.Source.PushAsync(changed, new() { Client = fixture.Client() }, Sandbox.Token);
        fixture.Proxy.Requests.Clear();

        Image pulled = await fixture.PullAsync();

        Assert.Equal(changed.Digest, pulled.Digest);
        Assert.Equal("changed", await RegistryFixture.RunAsync(fixture.Store, pulled));
        Assert.Equal(2, fixture.Proxy.CountOf("GET", "/blobs/")); // its configuration and its own layer
        Assert.Equal(1, fixture.Proxy.CountOf("GET", $"/blobs/{changed.Layers[^1].Descriptor.Digest}"));
    }

    [Fact]
    public async Task What_is_pulled_twice_at_once_is_fetched_once()
    {
        await using RegistryFixture fixture = await RegistryFixture.MakeAsync();
        await fixture.PushAsync();
        ImageStore other = await ImageStore.OpenAsync(fixture["store"], cancellationToken: Sandbox.Token); // locks of files do not know processes

        Image[] pulled = await Task.WhenAll(((ImageStore[])[fixture.Store, other, fixture.Store, other]).Select(store => store.PullAsync(fixture.Name, new() { Client = fixture.Client() }, Sandbox.Token)));

        Assert.All(pulled, image => Assert.Equal(fixture.Image.Digest, image.Digest));
        foreach (ImageLayer layer in fixture.Image.Layers) Assert.Equal(1, fixture.Proxy.CountOf("GET", $"/blobs/{layer.Descriptor.Digest}"));
    }

    [Fact]
    public async Task All_images_of_an_index_come_on_request()
    {
        await using RegistryFixture fixture = await RegistryFixture.MakeAsync(layerBytes: 1000);
        RegistryClient client = fixture.Client();
        await fixture.PushAsync(client);
        (ImageReference name, Digest other) = await PushIndexAsync(fixture, client);

        Image pulled = await fixture.Store.PullAsync(name, new() { Client = client }, Sandbox.Token);

        Assert.Equal(fixture.Image.Digest, pulled.Digest);
        Assert.Null(await fixture.Store.FindAsync(name.WithDigest(other), Platform.Parse("linux/s390x"), Sandbox.Token));
        Assert.False(File.Exists(fixture[$"store/blobs/sha256/{other.Encoded}"]));
        Image one = await fixture.Store.PullAsync(name, new() { Client = client, Platform = Platform.Parse("linux/s390x"), Unpack = false }, Sandbox.Token);
        Assert.Equal(other, one.Digest);
        ImageStore whole = await ImageStore.OpenAsync(fixture["whole"], cancellationToken: Sandbox.Token);
        Assert.Equal(fixture.Image.Digest, (await whole.PullAsync(name, new() { Client = client, AllPlatforms = true }, Sandbox.Token)).Digest);
        Assert.Equal(other, (await whole.GetAsync(name, Platform.Parse("linux/s390x"), Sandbox.Token)).Digest);

        string archive = fixture["all.tar"];
        await whole.SaveAllAsync([name], archive, Sandbox.Token);
        ImageStore offline = await ImageStore.OpenAsync(fixture["offline"], cancellationToken: Sandbox.Token);
        await offline.LoadAsync(archive, cancellationToken: Sandbox.Token);
        Assert.Equal((other, fixture.Image.Digest), ((await offline.GetAsync(name, Platform.Parse("linux/s390x"), Sandbox.Token)).Digest, (await offline.GetAsync(name, cancellationToken: Sandbox.Token)).Digest));
        Assert.Equal("hello from afar", await new ContainerBuilder().FromImageArchive(archive).WithImageStore(await ImageStore.OpenAsync(fixture["resource"], cancellationToken: Sandbox.Token)).OutputAsync());
        Assert.Contains("absent", (await Assert.ThrowsAsync<ImageException>(() => whole.SaveAllAsync([ImageReference.Parse("localhost/absent:1")], archive, Sandbox.Token))).Message, StringComparison.Ordinal);

        ImageReference to = ImageReference.Parse($"{fixture.Proxy.Authority}/copy:1");
        Descriptor copied = await whole.PushAsync(await whole.GetAsync(name, cancellationToken: Sandbox.Token), new() { Client = client, Reference = to, AllPlatforms = true }, Sandbox.Token);
        Assert.Equal((await client.FindManifestAsync(name, Sandbox.Token))!.Digest, copied.Digest);
        Assert.Equal(copied.Digest, (await client.FindManifestAsync(to, Sandbox.Token))!.Digest);
        Assert.Contains("not for linux/riscv64", (await Assert.ThrowsAsync<ImageException>(() => fixture.Store.PullAsync(name, new() { Client = client, Platform = Platform.Parse("linux/riscv64") }, Sandbox.Token))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Blobs_of_another_repository_are_mounted_and_not_sent()
    {
        await using RegistryFixture fixture = await RegistryFixture.MakeAsync();
        RegistryClient client = fixture.Client();
        await fixture.PushAsync(client);
        await fixture.Source.TagAsync(fixture.Image, fixture.Name, Sandbox.Token); // now it is known to be there
        fixture.Proxy.Requests.Clear();
        ImageReference to = ImageReference.Parse($"{fixture.Proxy.Authority}/other/tool:2");

        await fixture.Source.PushAsync(fixture.Image, new() { Client = client, Reference = to }, Sandbox.Token);

        Assert.Equal(3, fixture.Proxy.CountOf("POST", "mount="));
        Assert.Equal(0, fixture.Proxy.CountOf("PUT", "/blobs/"));
        fixture.Proxy.Requests.Clear();
        await fixture.Source.PushAsync(fixture.Image, new() { Client = client, Reference = to }, Sandbox.Token);
        Assert.Equal(3, fixture.Proxy.CountOf("HEAD", "/blobs/"));
        Assert.Equal(4, fixture.Proxy.Requests.Count); // and the manifest
    }

    [Fact]
    public async Task One_token_is_for_both_repositories_of_a_mount()
    {
        await using TokenServer tokens = new();
        await using RegistryFixture fixture = await RegistryFixture.MakeAsync(layerBytes: 1000, registry: await RegistryProcess.StartAsync(tokens: tokens));
        RegistryClient client = fixture.Client(new() { Credentials = RegistryFixture.Tester });
        ImageReference from = ImageReference.Parse($"{fixture.Registry.Authority}/team/tool:1"), to = ImageReference.Parse($"{fixture.Registry.Authority}/other/tool:1");
        await fixture.Source.PushAsync(fixture.Image, new() { Client = client, Reference = from }, Sandbox.Token);
        await fixture.Source.TagAsync(fixture.Image, from, Sandbox.Token);
        tokens.Scopes.Clear();

        await fixture.Source.PushAsync(fixture.Image, new() { Client = client, Reference = to }, Sandbox.Token);

        Assert.Equal(["repository:other/tool:pull,push", "repository:team/tool:pull"], tokens.Scopes.Distinct().Order(StringComparer.Ordinal));
        ImageException anonymous = await Assert.ThrowsAsync<ImageException>(() => fixture.Source.PushAsync(fixture.Image, new() { Client = fixture.Client(), Reference = to }, Sandbox.Token));
        Assert.Equal(ImageErrorReason.Unauthorized, anonymous.Reason);
        Assert.Contains("who has no credentials", anonymous.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_of_the_caller_is_shown_to_whoever_asks()
    {
        using TestCertificates certificates = new();
        await using RegistryFixture fixture = await RegistryFixture.MakeAsync(layerBytes: 1000);
        await using LoopbackServer server = new(exchange => exchange.AnswerAsync(200, "{}"), certificates.Server, certificates.Authority);
        RegistryOptions Trusting(System.Security.Cryptography.X509Certificates.X509Certificate2? own) => new() { Retries = 0, Credentials = RegistryFixture.Nobody, Registries = ImmutableDictionary<string, RegistrySettings>.Empty.Add(server.Authority, new() { CertificateAuthorities = [certificates.Authority], ClientCertificate = own }) };

        await fixture.Client(Trusting(certificates.Server)).CheckAsync(server.Authority, Sandbox.Token);

        await Assert.ThrowsAsync<ImageException>(() => fixture.Client(Trusting(null)).CheckAsync(server.Authority, Sandbox.Token));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_blob_that_is_damaged_comes_anew(bool isUnpacked)
    {
        await using RegistryFixture fixture = await RegistryFixture.MakeAsync();
        await fixture.PushAsync();
        await fixture.PullAsync(new() { Unpack = isUnpacked });
        string blob = fixture[$"store/blobs/sha256/{fixture.Image.Layers[1].Descriptor.Digest.Encoded}"];
        byte[] bytes = await File.ReadAllBytesAsync(blob, Sandbox.Token), damaged = [.. bytes];
        damaged[^100] ^= 1;
        await File.WriteAllBytesAsync(blob, damaged, Sandbox.Token);

        Image pulled = await fixture.PullAsync(new() { Recheck = isUnpacked }); // what is not unpacked yet is checked when it is

        Assert.Equal(bytes, await File.ReadAllBytesAsync(blob, Sandbox.Token));
        Assert.Equal("hello from afar", await RegistryFixture.RunAsync(fixture.Store, pulled));
    }

    [Fact]
    public async Task What_is_large_goes_in_parts()
    {
        await using RegistryFixture fixture = await RegistryFixture.MakeAsync();

        await fixture.Source.PushAsync(fixture.Image, new() { Client = fixture.Client(), Reference = fixture.Name, ChunkSize = 1 << 20 }, Sandbox.Token);

        Assert.True(fixture.Proxy.CountOf("PATCH", "/blobs/uploads/") >= 4);
        Assert.Equal(fixture.Image.Digest, (await fixture.PullAsync()).Digest);
    }

    [Fact]
    public async Task Repositories_and_tags_are_listed_in_pages_and_deleted()
    {
        await using RegistryFixture fixture = await RegistryFixture.MakeAsync(layerBytes: 1000);
        RegistryClient client = fixture.Client();
        await fixture.PushAsync(client);
        RegistryManifest manifest = await client.GetManifestAsync(fixture.Name, Sandbox.Token);
        foreach (int i in Enumerable.Range(2, 30)) await client.PutManifestAsync(ImageReference.Parse($"{fixture.Proxy.Authority}/team/tool:{i}"), manifest.Descriptor.MediaType, manifest.Content, Sandbox.Token);
        foreach (string part in (string[])["a", "b"]) await fixture.Source.PushAsync(fixture.Image, new() { Client = client, Reference = ImageReference.Parse($"{fixture.Proxy.Authority}/{part}:1") }, Sandbox.Token);

        Assert.Equal(31, (await client.ListTagsAsync(fixture.Name, Sandbox.Token).ToListAsync(Sandbox.Token)).Distinct().Count());
        Assert.Equal(["a", "b", "team/tool"], await client.ListRepositoriesAsync(fixture.Proxy.Authority, Sandbox.Token).ToListAsync(Sandbox.Token));
        await client.CheckAsync(fixture.Proxy.Authority, Sandbox.Token);
        await client.DeleteAsync(fixture.Name.WithDigest(manifest.Descriptor.Digest), Sandbox.Token);
        Assert.Null(await client.FindManifestAsync(fixture.Name, Sandbox.Token));
        await client.DeleteBlobAsync(fixture.Name, fixture.Image.Layers[1].Descriptor.Digest, Sandbox.Token);
        Assert.Equal(ImageErrorReason.NotFound, (await Assert.ThrowsAsync<ImageException>(() => client.OpenBlobAsync(fixture.Name, fixture.Image.Layers[1].Descriptor, Sandbox.Token))).Reason);
    }

    [Theory]
    [InlineData(PullPolicy.Missing)]
    [InlineData(PullPolicy.Always)]
    [InlineData(PullPolicy.Never)]
    public async Task A_container_pulls_what_it_is_made_of(PullPolicy policy)
    {
        await using RegistryFixture fixture = await RegistryFixture.MakeAsync();
        await fixture.PushAsync();
        ContainerBuilder Builder() => new ContainerBuilder().FromImage(fixture.Name).WithImageStore(fixture.Store).WithPullPolicy(policy, new() { Client = fixture.Client() });
        if (policy == PullPolicy.Never)
        {
            Assert.Equal(ImageErrorReason.NotFound, (await Assert.ThrowsAsync<ImageException>(() => Builder().RunAsync(Sandbox.Token))).Reason);
            Assert.Equal(0, fixture.Proxy.CountOf("GET", ""));
            return;
        }

        Assert.Equal("hello from afar", await Builder().OutputAsync());
        fixture.Proxy.Requests.Clear();
        Assert.Equal("hello from afar", await Builder().OutputAsync());
        Assert.Equal(policy == PullPolicy.Always ? 1 : 0, fixture.Proxy.Requests.Count);
    }

    [Fact]
    public async Task A_mirror_is_asked_first_and_the_registry_where_it_fails()
    {
        await using RegistryFixture fixture = await RegistryFixture.MakeAsync();
        await fixture.PushAsync();
        await using LoopbackServer broken = new(exchange => exchange.AnswerAsync(500));
        ImageReference name = ImageReference.Parse("registry.invalid/team/tool:1");
        RegistryClient Client(params string[] mirrors) => fixture.Client(new() { Credentials = RegistryFixture.Nobody, Retries = 1, Registries = ImmutableDictionary<string, RegistrySettings>.Empty.Add("registry.invalid", new() { Mirrors = [.. mirrors.Select(mirror => new Uri($"http://{mirror}"))] }) });

        Image pulled = await fixture.Store.PullAsync(name, new() { Client = Client(broken.Authority, fixture.Proxy.Authority) }, Sandbox.Token);

        Assert.Equal(fixture.Image.Digest, pulled.Digest);
        Assert.Equal(2, broken.Requests.Count); // and then it is left alone for a while
        ImageReference absent = ImageReference.Parse("registry.invalid/team/absent:1");
        Assert.Equal(ImageErrorReason.Unreachable, (await Assert.ThrowsAsync<ImageException>(() => fixture.Store.PullAsync(absent, new() { Client = Client(fixture.Proxy.Authority) }, Sandbox.Token))).Reason);
    }

    [Fact]
    public async Task Progress_ends_with_everything()
    {
        await using RegistryFixture fixture = await RegistryFixture.MakeAsync();
        Recorder sent = new(), come = new();
        await fixture.Source.PushAsync(fixture.Image, new() { Client = fixture.Client(), Reference = fixture.Name, Progress = sent }, Sandbox.Token);
        await fixture.PullAsync(new() { Progress = come });

        long total = fixture.Image.Manifest.Config.Size + fixture.Image.Layers.Sum(layer => layer.Descriptor.Size);
        foreach (Recorder recorder in (Recorder[])[sent, come])
        {
            Assert.Equal((total, total, 2, 2), (recorder.Last!.TotalBytes, recorder.Last.Bytes, recorder.Last.Layers, recorder.Last.LayersDone));
            Assert.True(recorder.NeverFell);
        }
    }

    /// <summary>An index of the image, and of one for another machine.</summary>
    private static async Task<(ImageReference Name, Digest Other)> PushIndexAsync(RegistryFixture fixture, RegistryClient client)
    {
        byte[] config = System.Text.Encoding.UTF8.GetBytes("""{"architecture":"s390x","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}""");
        Descriptor configuration = new() { MediaType = MediaTypes.Config, Digest = Digest.Of(config), Size = config.Length };
        await client.PutBlobAsync(fixture.Name, configuration, _ => ValueTask.FromResult<Stream>(new MemoryStream(config)), cancellationToken: Sandbox.Token);
        byte[] manifest = ImageJson.ToUtf8(new Manifest { SchemaVersion = 2, MediaType = MediaTypes.Manifest, Config = configuration, Layers = [] }, ImageModel.Default.Manifest);
        Descriptor other = await client.PutManifestAsync(fixture.Name.WithDigest(Digest.Of(manifest)), MediaTypes.Manifest, manifest, Sandbox.Token);
        ImageIndex index = new()
        {
            SchemaVersion = 2, MediaType = MediaTypes.Index,
            Manifests = [other with { Platform = new() { Architecture = "s390x", Os = "linux" } }, fixture.Image.Descriptor with { Annotations = null, Platform = new() { Architecture = Platform.Current.Architecture, Os = "linux" } }],
        };
        ImageReference name = ImageReference.Parse($"{fixture.Proxy.Authority}/team/tool:all");
        await client.PutManifestAsync(name, MediaTypes.Index, ImageJson.ToUtf8(index, ImageModel.Default.ImageIndex), Sandbox.Token);
        return (name, other.Digest);
    }

    private sealed class Recorder : IProgress<TransferProgress>
    {
        internal TransferProgress? Last { get; private set; }

        internal bool NeverFell { get; private set; } = true;

        public void Report(TransferProgress value)
        {
            NeverFell &= value.Bytes >= (Last?.Bytes ?? 0) && value.LayersDone >= (Last?.LayersDone ?? 0);
            Last = value;
        }
    }
}
