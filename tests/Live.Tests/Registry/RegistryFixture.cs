using System.Collections.Immutable;
using System.Security.Cryptography;
using Isolation.Images;

namespace Isolation.Live.Tests;

/// <summary>A registry, a proxy before it, two stores and an image in one of them.</summary>
internal sealed class RegistryFixture : IAsyncDisposable
{
    private readonly TemporaryDirectory _directory = new(Lane.Disk);
    private readonly List<RegistryClient> _clients = [];

    private RegistryFixture(RegistryProcess registry)
    {
        Registry = registry;
        Proxy = new($"http://{registry.Authority}");
    }

    internal RegistryProcess Registry { get; }

    internal FaultProxy Proxy { get; }

    /// <summary>Has the image.</summary>
    internal ImageStore Source { get; private set; } = null!;

    /// <summary>Has nothing at first.</summary>
    internal ImageStore Store { get; private set; } = null!;

    internal Image Image { get; private set; } = null!;

    internal string this[string name] => _directory[name];

    /// <summary>Of the image, by way of the proxy.</summary>
    internal ImageReference Name => ImageReference.Parse($"{Proxy.Authority}/team/tool:1");

    /// <param name="layerBytes">How large its second layer is, about.</param>
    /// <param name="registry">One of another kind.</param>
    internal static async Task<RegistryFixture> MakeAsync(int layerBytes = 3 << 20, RegistryProcess? registry = null)
    {
        RegistryFixture fixture = new(registry ?? await RegistryProcess.StartAsync());
        try
        {
            fixture.Source = await ImageStore.OpenAsync(fixture["source"], cancellationToken: Sandbox.Token);
            fixture.Store = await ImageStore.OpenAsync(fixture["store"], cancellationToken: Sandbox.Token);
            using ImageArchive archive = await ImageArchive.MakeAsync("localhost/tool:1", """{"Cmd":["/bin/sh","-c","cat /greeting"]}""", second =>
            {
                second.Write("greeting", "hello from afar\n");
                File.WriteAllBytes(second["random"], RandomNumberGenerator.GetBytes(layerBytes));
            });
            fixture.Image = Assert.Single(await fixture.Source.LoadAsync(archive.Path, cancellationToken: Sandbox.Token));
            return fixture;
        }
        catch
        {
            await fixture.DisposeAsync();
            throw;
        }
    }

    /// <summary>One that is impatient, as tests are.</summary>
    internal RegistryClient Client(RegistryOptions? options = null)
    {
        RegistryClient client = new((options ?? new() { Credentials = Nobody }) with { RetryDelay = TimeSpan.FromMilliseconds(10), Timeout = options?.Timeout is { } given && given != new RegistryOptions().Timeout ? given : TimeSpan.FromSeconds(20) });
        _clients.Add(client);
        return client;
    }

    internal static ValueTask<RegistryCredential?> Nobody(string registry, CancellationToken cancellationToken) => ValueTask.FromResult<RegistryCredential?>(null);

    internal static ValueTask<RegistryCredential?> Tester(string registry, CancellationToken cancellationToken) => ValueTask.FromResult<RegistryCredential?>(RegistryCredential.OfUser(RegistryProcess.User, RegistryProcess.Password));

    internal Task<Descriptor> PushAsync(RegistryClient? client = null) => Source.PushAsync(Image, new() { Client = client ?? Client(), Reference = Name }, Sandbox.Token);

    internal Task<Image> PullAsync(PullOptions? options = null) => Store.PullAsync(Name, (options ?? new()) with { Client = options?.Client ?? Client() }, Sandbox.Token);

    internal async Task<ImageException> FailureAsync(PullOptions? options = null) => await Assert.ThrowsAsync<ImageException>(() => PullAsync(options));

    internal static async Task<string> RunAsync(ImageStore store, Image image) => await new ContainerBuilder().FromImage(image).WithImageStore(store).OutputAsync();

    /// <summary>What pulls have left that is not complete.</summary>
    internal string[] Partial => Directory.Exists(this["store/isolation/partial"]) ? Directory.GetFiles(this["store/isolation/partial"]) : [];

    public async ValueTask DisposeAsync()
    {
        foreach (RegistryClient client in _clients) client.Dispose();
        await Proxy.DisposeAsync();
        await Registry.DisposeAsync();
        _directory.Dispose();
    }
}
