using System.Collections.Immutable;
using System.Security.Cryptography;
using Isolation.Images;
using Isolation.Nested;

namespace Isolation.Live.Tests;

/// <summary>What can go wrong between a registry and here: each is named as what it is, nothing of it gets into the store, and what may pass is waited for.</summary>
public sealed class RegistryFaultTests
{
    [Fact]
    public async Task Which_of_host_repository_and_tag_is_unknown_is_said()
    {
        await using RegistryFixture fixture = await RegistryFixture.MakeAsync(layerBytes: 1000);
        await fixture.PushAsync();

        async Task<ImageException> Of(string name) => await Assert.ThrowsAsync<ImageException>(() => fixture.Store.PullAsync(ImageReference.Parse(name), new() { Client = fixture.Client(new() { Retries = 0, Credentials = RegistryFixture.Nobody }) }, Sandbox.Token));

        ImageException host = await Of("no-such-host.invalid/a:1"), repository = await Of($"{fixture.Proxy.Authority}/absent:1"), tag = await Of($"{fixture.Proxy.Authority}/team/tool:absent"), closed = await Of("127.0.0.1:1/a:1");
        Assert.Equal((ImageErrorReason.Unreachable, ImageErrorReason.RepositoryNotFound, ImageErrorReason.NotFound, ImageErrorReason.Unreachable), (host.Reason, repository.Reason, tag.Reason, closed.Reason));
        Assert.Contains("'no-such-host.invalid'", host.Message, StringComparison.Ordinal);
        Assert.Contains("no repository 'absent'", repository.Message, StringComparison.Ordinal);
        Assert.Contains("no tag 'absent'", tag.Message, StringComparison.Ordinal);
        Assert.Contains("refused", closed.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(401, ImageErrorReason.Unauthorized)]
    [InlineData(403, ImageErrorReason.Denied)]
    [InlineData(404, ImageErrorReason.NotFound)]
    [InlineData(429, ImageErrorReason.Throttled)]
    [InlineData(500, ImageErrorReason.RegistryFailed)]
    [InlineData(502, ImageErrorReason.RegistryFailed)]
    public async Task A_refusal_is_passed_on(int status, ImageErrorReason reason)
    {
        await using RegistryFixture fixture = await RegistryFixture.MakeAsync(layerBytes: 1000);
        await fixture.PushAsync();
        foreach (string part in (string[])["/manifests/", "/blobs/"])
        {
            fixture.Proxy.Clear();
            fixture.Proxy.Requests.Clear();
            fixture.Proxy.On("GET", part, (exchange, _) => exchange.AnswerAsync(status, """{"errors":[{"code":"OF_THE_TEST","message":"it is \u001b[31mso"}]}""", status == 401 ? ("WWW-Authenticate", "Basic realm=\"tests\"") : ("X-Nothing", "")));

            ImageException failure = await fixture.FailureAsync(new() { Client = fixture.Client(new() { Retries = 2, Credentials = RegistryFixture.Tester }) });

            Assert.Equal(reason, failure.Reason);
            Assert.Contains("OF_THE_TEST: it is  [31mso", failure.Message, StringComparison.Ordinal);
            Assert.Null(await fixture.Store.FindAsync(fixture.Name, cancellationToken: Sandbox.Token));
            int asked = fixture.Proxy.CountOf("GET", part), expected = status switch { 429 or 500 or 502 => 3, 401 => 2, _ => 1 };
            if (part == "/manifests/") Assert.Equal(expected, asked);
        }
    }

    [Fact]
    public async Task What_passes_is_waited_for_as_long_as_the_server_says()
    {
        await using RegistryFixture fixture = await RegistryFixture.MakeAsync(layerBytes: 1000);
        await fixture.PushAsync();
        fixture.Proxy.On("GET", "/manifests/", (exchange, _) => exchange.AnswerAsync(429, [], ("Retry-After", "1")), times: 1);
        fixture.Proxy.On("GET", "/manifests/", (exchange, _) => exchange.AnswerAsync(503, []), times: 1);
        System.Diagnostics.Stopwatch watch = System.Diagnostics.Stopwatch.StartNew();

        Assert.Equal(fixture.Image.Digest, (await fixture.PullAsync()).Digest);

        Assert.True(watch.ElapsedMilliseconds >= 1000);
        fixture.Proxy.On("HEAD", "/manifests/", (exchange, _) => exchange.AnswerAsync(429, [], ("Retry-After", "300")));
        watch.Restart();
        ImageException failure = await fixture.FailureAsync();
        Assert.Equal(ImageErrorReason.Throttled, failure.Reason);
        Assert.Contains("300 s", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Bearer realm=\"\"")]
    [InlineData("Bearer service=\"x\"")]
    [InlineData("Bearer realm=\"ftp://127.0.0.1/\"")]
    [InlineData("Bearer realm=\"http://127.0.0.1:1/token")]
    [InlineData("Bearer realm")]
    [InlineData("=")]
    [InlineData("Digest realm=\"x\"")]
    [InlineData("")]
    public async Task A_challenge_that_is_none_is_refused(string challenge)
    {
        await using RegistryFixture fixture = await RegistryFixture.MakeAsync(layerBytes: 1000);
        fixture.Proxy.On("GET", "/v2/", (exchange, _) => exchange.AnswerAsync(401, [], ("WWW-Authenticate", challenge)));

        ImageException failure = await fixture.FailureAsync();

        Assert.True(failure.Reason is ImageErrorReason.RegistryFailed or ImageErrorReason.Unauthorized, failure.ToString());
    }

    [Fact]
    public async Task Credentials_stay_behind_where_it_leads_to_another_host()
    {
        await using RegistryFixture fixture = await RegistryFixture.MakeAsync(registry: await RegistryProcess.StartAsync(hasPassword: true));
        RegistryClient client = fixture.Client(new() { Credentials = RegistryFixture.Tester });
        await fixture.PushAsync(client);
        byte[] layer = await File.ReadAllBytesAsync(fixture[$"source/blobs/sha256/{fixture.Image.Layers[1].Descriptor.Digest.Encoded}"], Sandbox.Token);
        List<bool> hadCredentials = [];
        await using LoopbackServer other = new(exchange =>
        {
            lock (hadCredentials) hadCredentials.Add(exchange.Headers.ContainsKey("Authorization"));
            return exchange.AnswerAsync(200, layer);
        });
        fixture.Proxy.On("GET", fixture.Image.Layers[1].Descriptor.Digest.ToString(), (exchange, _) => exchange.AnswerAsync(307, [], ("Location", $"{other.Address}/there?signature=secret")));

        Assert.Equal(fixture.Image.Digest, (await fixture.PullAsync(new() { Client = client })).Digest);

        Assert.Equal([false], hadCredentials);
    }

    [Fact]
    public async Task From_TLS_nothing_leads_to_where_there_is_none()
    {
        using TestCertificates certificates = new();
        await using RegistryFixture fixture = await RegistryFixture.MakeAsync(layerBytes: 1000);
        await using LoopbackServer plain = new(exchange => exchange.AnswerAsync(200, "{}"));
        string location = "", challenge = "";
        await using LoopbackServer secured = new(exchange => challenge.Length > 0 ? exchange.AnswerAsync(401, [], ("WWW-Authenticate", challenge)) : exchange.AnswerAsync(307, [], ("Location", location)), certificates.Server);
        ImageReference name = ImageReference.Parse($"{secured.Authority}/a:1");
        RegistryOptions options = new() { Retries = 0, Credentials = RegistryFixture.Tester };
        RegistryOptions trusting = options with { Registries = options.Registries.Add(secured.Authority, new() { CertificateAuthorities = [certificates.Authority] }) };

        async Task<ImageException> Failure(RegistryOptions with) => await Assert.ThrowsAsync<ImageException>(() => fixture.Store.PullAsync(name, new() { Client = fixture.Client(with) }, Sandbox.Token));

        location = $"{plain.Address}/v2/a/manifests/1";
        ImageException redirected = await Failure(trusting);
        Assert.Equal(ImageErrorReason.Denied, redirected.Reason);
        Assert.Contains("from TLS", redirected.Message, StringComparison.Ordinal);
        location = "file:///etc/passwd";
        Assert.Equal(ImageErrorReason.Denied, (await Failure(trusting)).Reason);
        location = secured.Address + "/again";
        Assert.Contains("10 times", (await Failure(trusting)).Message, StringComparison.Ordinal);
        challenge = $"Bearer realm=\"{plain.Address}/token\",service=\"x\"";
        Assert.Equal(ImageErrorReason.Denied, (await Failure(trusting)).Reason);
        Assert.Empty(plain.Requests);
        ImageException untrusted = await Failure(options with { Registries = options.Registries.Add(secured.Authority, new() { CertificateAuthorities = [MakeStranger()] }) });
        Assert.Equal(ImageErrorReason.Untrusted, untrusted.Reason);
        Assert.Contains("CertificateAuthorities", untrusted.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("truncated")]
    [InlineData("reset")]
    [InlineData("stalled")]
    [InlineData("slow")]
    public async Task A_body_that_breaks_off_goes_on_where_it_stood(string how)
    {
        await using RegistryFixture fixture = await RegistryFixture.MakeAsync();
        await fixture.PushAsync();
        Descriptor layer = fixture.Image.Layers[1].Descriptor;
        List<string?> ranges = [];
        fixture.Proxy.On("GET", layer.Digest.ToString(), async (exchange, forward) =>
        {
            lock (ranges) ranges.Add(exchange.Headers.GetValueOrDefault("Range"));
            Reply reply = await forward();
            await exchange.HeadAsync(reply.Status, [.. reply.Headers, ("Content-Length", $"{reply.Body!.Length}")]);
            if (how == "slow")
            {
                foreach (byte[] piece in reply.Body.Chunk(300_000))
                {
                    await exchange.WriteAsync(piece);
                    await Task.Delay(260, exchange.Ended); // longer than the limit in all, and never for as long
                }

                return;
            }

            if (how != "reset" || ranges.Count > 1) await exchange.WriteAsync(reply.Body.AsMemory(0, Math.Min(1_000_000, reply.Body.Length)));
            exchange.Closes = reply.Body.Length > 1_000_000 || how == "reset";
            if (how == "stalled" && reply.Body.Length > 1_000_000) await Task.Delay(System.Threading.Timeout.Infinite, exchange.Ended);
        }, times: 5);

        Image pulled = await fixture.PullAsync(new() { Client = fixture.Client(new() { Timeout = TimeSpan.FromMilliseconds(2500), Credentials = RegistryFixture.Nobody }) });

        Assert.Equal(fixture.Image.Digest, pulled.Digest);
        Assert.Equal("hello from afar", await RegistryFixture.RunAsync(fixture.Store, pulled));
        if (how == "slow") Assert.Equal([null], ranges);
        else if (how == "truncated") Assert.Equal([null, "bytes=1000000-", "bytes=2000000-", "bytes=3000000-"], ranges);
        else Assert.True(ranges.Count >= 3 && ranges[^1] is not null, string.Join(' ', ranges));
    }

    [Fact]
    public async Task A_server_that_knows_no_ranges_sends_it_all_again()
    {
        await using RegistryFixture fixture = await RegistryFixture.MakeAsync();
        await fixture.PushAsync();
        int asked = 0;
        byte[] layer = await File.ReadAllBytesAsync(fixture[$"source/blobs/sha256/{fixture.Image.Layers[1].Descriptor.Digest.Encoded}"], Sandbox.Token);
        fixture.Proxy.On("GET", fixture.Image.Layers[1].Descriptor.Digest.ToString(), async (exchange, _) =>
        {
            await exchange.HeadAsync(200, ("Content-Length", $"{layer.Length}"));
            exchange.Closes = true;
            await exchange.WriteAsync(layer.AsMemory(0, asked++ == 0 ? 2_000_000 : layer.Length));
        });

        Assert.Equal(fixture.Image.Digest, (await fixture.PullAsync()).Digest);

        Assert.Equal(2, asked);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(500_000)]
    [InlineData(2_999_999)]
    public async Task What_is_cancelled_goes_on_the_next_time(int bytes)
    {
        await using RegistryFixture fixture = await RegistryFixture.MakeAsync();
        await fixture.PushAsync();
        using CancellationTokenSource cancel = CancellationTokenSource.CreateLinkedTokenSource(Sandbox.Token);
        Descriptor layer = fixture.Image.Layers[1].Descriptor;
        fixture.Proxy.On("GET", layer.Digest.ToString(), async (exchange, forward) =>
        {
            Reply reply = await forward();
            await exchange.HeadAsync(reply.Status, [.. reply.Headers, ("Content-Length", $"{reply.Body!.Length}")]);
            await exchange.WriteAsync(reply.Body.AsMemory(0, bytes));
            for (int i = 0; i < 1000 && fixture.Partial.All(file => new FileInfo(file).Length != bytes); i++) await Task.Delay(10, exchange.Ended); // until it is on disk
            await cancel.CancelAsync();
            await Task.Delay(System.Threading.Timeout.Infinite, exchange.Ended);
        }, times: 1);

        OperationCanceledException cancelled = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => fixture.Store.PullAsync(fixture.Name, new() { Client = fixture.Client() }, cancel.Token));

        Assert.Equal(cancel.Token, cancelled.CancellationToken);
        Assert.Empty(Directory.GetFileSystemEntries(fixture["store/isolation/temporary"]));
        List<string?> ranges = [];
        fixture.Proxy.On("GET", layer.Digest.ToString(), async (exchange, forward) =>
        {
            ranges.Add(exchange.Headers.GetValueOrDefault("Range"));
            Reply reply = await forward();
            await exchange.AnswerAsync(reply.Status, reply.Body, [.. reply.Headers]);
        });
        Assert.Equal("hello from afar", await RegistryFixture.RunAsync(fixture.Store, await fixture.PullAsync()));
        Assert.Equal([$"bytes={bytes}-"], ranges);
        Assert.Empty(fixture.Partial);
    }

    [Fact]
    public async Task What_was_left_and_is_damaged_comes_anew()
    {
        await using RegistryFixture fixture = await RegistryFixture.MakeAsync();
        await fixture.PushAsync();
        Directory.CreateDirectory(fixture["store/isolation/partial"]);
        foreach (ImageLayer layer in fixture.Image.Layers) await File.WriteAllBytesAsync(fixture[$"store/isolation/partial/{LayerFiles.NameOf(layer.Descriptor.Digest)}"], RandomNumberGenerator.GetBytes(1000), Sandbox.Token);

        Assert.Equal("hello from afar", await RegistryFixture.RunAsync(fixture.Store, await fixture.PullAsync()));

        Assert.Empty(fixture.Partial);
    }

    [Theory]
    [InlineData("a flipped bit", ImageErrorReason.DigestMismatch)]
    [InlineData("fewer bytes", ImageErrorReason.SizeMismatch)]
    [InlineData("more bytes", ImageErrorReason.SizeMismatch)]
    [InlineData("more bytes without a length", ImageErrorReason.SizeMismatch)]
    public async Task A_layer_that_is_another_does_not_come_in(string how, ImageErrorReason reason)
    {
        await using RegistryFixture fixture = await RegistryFixture.MakeAsync();
        await fixture.PushAsync();
        fixture.Proxy.On("GET", fixture.Image.Layers[1].Descriptor.Digest.ToString(), async (exchange, forward) =>
        {
            Reply reply = await forward();
            byte[] body = how switch { "a flipped bit" => [.. reply.Body!], "fewer bytes" => reply.Body![..^1], _ => [.. reply.Body!, 0] };
            if (how == "a flipped bit") body[body.Length / 2] ^= 1;
            if (how.EndsWith("length", StringComparison.Ordinal))
            {
                await exchange.HeadAsync(200, ("Connection", "close"));
                exchange.Closes = true;
                await exchange.WriteAsync(body);
                return;
            }

            await exchange.AnswerAsync(reply.Status, body);
        });

        ImageException failure = await fixture.FailureAsync();

        Assert.Equal(reason, failure.Reason);
        Assert.Null(await fixture.Store.FindAsync(fixture.Name, cancellationToken: Sandbox.Token));
        Assert.False(File.Exists(fixture[$"store/isolation/partial/{LayerFiles.NameOf(fixture.Image.Layers[1].Descriptor.Digest)}"])); // what is wrong once is so again
        fixture.Proxy.Clear();
        Assert.Equal("hello from afar", await RegistryFixture.RunAsync(fixture.Store, await fixture.PullAsync()));
    }

    [Theory]
    [InlineData("another digest", ImageErrorReason.DigestMismatch)]
    [InlineData("another type", ImageErrorReason.InvalidContent)]
    [InlineData("no image", ImageErrorReason.NotSupported)]
    [InlineData("schema 1", ImageErrorReason.NotSupported)]
    [InlineData("no JSON", ImageErrorReason.InvalidContent)]
    [InlineData("4 MiB and one", ImageErrorReason.TooLarge)]
    [InlineData("without an end", ImageErrorReason.TooLarge)]
    public async Task A_manifest_that_is_another_does_not_come_in(string how, ImageErrorReason reason)
    {
        await using RegistryFixture fixture = await RegistryFixture.MakeAsync(layerBytes: 1000);
        await fixture.PushAsync();
        fixture.Proxy.On("GET", "/manifests/", async (exchange, forward) =>
        {
            Reply reply = await forward();
            string Header(string name) => reply.Headers.First(header => header.Name == name).Value;
            switch (how)
            {
                case "another digest":
                    await exchange.AnswerAsync(200, reply.Body, ("Content-Type", Header("Content-Type")), ("Docker-Content-Digest", Digest.Of([1]).ToString()));
                    break;
                case "another type":
                    await exchange.AnswerAsync(200, reply.Body, ("Content-Type", MediaTypes.Index));
                    break;
                case "no image":
                    await exchange.AnswerAsync(200, """{"schemaVersion":2,"mediaType":"application/vnd.example"}""", ("Content-Type", "application/vnd.example"));
                    break;
                case "schema 1":
                    await exchange.AnswerAsync(200, """{"schemaVersion":1,"fsLayers":[]}""", ("Content-Type", "application/vnd.docker.distribution.manifest.v1+prettyjws"));
                    break;
                case "no JSON":
                    await exchange.AnswerAsync(200, "<html>", ("Content-Type", MediaTypes.Manifest));
                    break;
                case "4 MiB and one":
                    await exchange.AnswerAsync(200, new byte[(4 << 20) + 1], ("Content-Type", MediaTypes.Manifest));
                    break;
                default:
                    await exchange.HeadAsync(200, ("Content-Type", MediaTypes.Manifest), ("Connection", "close"));
                    exchange.Closes = true;
                    for (int i = 0; i < 100; i++) await exchange.WriteAsync(new byte[1 << 20]);
                    break;
            }
        });

        ImageException failure = await fixture.FailureAsync();

        Assert.Equal(reason, failure.Reason);
        Assert.Empty(await fixture.Store.ListAsync(Sandbox.Token));
    }

    [Theory]
    [InlineData(-1, ImageErrorReason.InvalidContent)]
    [InlineData(long.MaxValue, ImageErrorReason.TooLarge)]
    public async Task A_size_that_is_none_is_refused_before_anything_comes(long size, ImageErrorReason reason)
    {
        await using RegistryFixture fixture = await RegistryFixture.MakeAsync(layerBytes: 1000);
        await fixture.PushAsync();
        Descriptor layer = fixture.Image.Layers[1].Descriptor;
        byte[] manifest = ImageJson.ToUtf8(fixture.Image.Manifest with { Layers = [fixture.Image.Manifest.Layers[0], layer with { Size = size }] }, ImageModel.Default.Manifest);
        fixture.Proxy.On("GET", "/manifests/", (exchange, _) => exchange.AnswerAsync(200, manifest, ("Content-Type", fixture.Image.Descriptor.MediaType)));

        Assert.Equal(reason, (await fixture.FailureAsync()).Reason);

        Assert.Equal(0, fixture.Proxy.CountOf("GET", layer.Digest.ToString()));
    }

    [Fact]
    public async Task Whom_a_descriptor_names_is_asked_only_where_that_is_allowed()
    {
        await using RegistryFixture fixture = await RegistryFixture.MakeAsync();
        RegistryClient client = fixture.Client();
        await fixture.PushAsync(client);
        byte[] content = await File.ReadAllBytesAsync(fixture[$"source/blobs/sha256/{fixture.Image.Layers[1].Descriptor.Digest.Encoded}"], Sandbox.Token);
        await using LoopbackServer elsewhere = new(exchange => exchange.AnswerAsync(200, content));
        Descriptor foreign = fixture.Image.Layers[1].Descriptor with { MediaType = MediaTypes.DockerLayerForeign, Urls = [$"{elsewhere.Address}/layer"] };
        byte[] manifest = ImageJson.ToUtf8(fixture.Image.Manifest with { Layers = [fixture.Image.Manifest.Layers[0], foreign] }, ImageModel.Default.Manifest);
        fixture.Proxy.On("GET", "/manifests/", (exchange, _) => exchange.AnswerAsync(200, manifest, ("Content-Type", fixture.Image.Descriptor.MediaType)));
        fixture.Proxy.On("GET", foreign.Digest.ToString(), (exchange, _) => exchange.AnswerAsync(404, []));

        ImageException failure = await fixture.FailureAsync(new() { Client = client });

        Assert.Equal(ImageErrorReason.Denied, failure.Reason);
        Assert.Contains(nameof(RegistryOptions.AllowForeignUrls), failure.Message, StringComparison.Ordinal);
        Assert.Empty(elsewhere.Requests);
        Image pulled = await fixture.PullAsync(new() { Client = fixture.Client(new() { AllowForeignUrls = true, Credentials = RegistryFixture.Nobody }) });
        Assert.Equal("hello from afar", await RegistryFixture.RunAsync(fixture.Store, pulled));
        Assert.Single(elsewhere.Requests);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1 << 20)]
    public async Task An_upload_that_breaks_off_goes_on_where_it_stood(int chunkSize)
    {
        await using RegistryFixture fixture = await RegistryFixture.MakeAsync();
        int broken = 0;
        fixture.Proxy.On(chunkSize == 0 ? "PUT" : "PATCH", "/blobs/uploads/", async (exchange, forward) =>
        {
            if (Interlocked.Increment(ref broken) % 2 == 0) await forward(); // once it has arrived, and once it has not
            exchange.Closes = true;
        }, times: 4);
        fixture.Proxy.On("POST", "/blobs/uploads/", (exchange, _) => exchange.AnswerAsync(503, []), times: 1);
        fixture.Proxy.On("PUT", "/manifests/", (exchange, _) => exchange.AnswerAsync(502, []), times: 1);

        await fixture.Source.PushAsync(fixture.Image, new() { Client = fixture.Client(), Reference = fixture.Name, ChunkSize = chunkSize }, Sandbox.Token);

        Assert.Equal(4, broken);
        Assert.Equal("hello from afar", await RegistryFixture.RunAsync(fixture.Store, await fixture.PullAsync()));
    }

    [Fact]
    public async Task A_token_that_has_expired_is_fetched_anew()
    {
        await using TokenServer tokens = new() { Life = 1 };
        await using RegistryFixture fixture = await RegistryFixture.MakeAsync(layerBytes: 1000, registry: await RegistryProcess.StartAsync(tokens: tokens));
        RegistryClient client = fixture.Client(new() { Credentials = RegistryFixture.Tester });
        ImageReference name = ImageReference.Parse($"{fixture.Registry.Authority}/team/tool:1");
        await fixture.Source.PushAsync(fixture.Image, new() { Client = client, Reference = name }, Sandbox.Token);
        await Task.Delay(2000, Sandbox.Token);

        Assert.Equal(fixture.Image.Digest, (await fixture.Store.PullAsync(name, new() { Client = client }, Sandbox.Token)).Digest);

        ImageException failure = await Assert.ThrowsAsync<ImageException>(() => fixture.Store.PullAsync(name, new() { Client = fixture.Client(new() { Credentials = (_, _) => ValueTask.FromResult<RegistryCredential?>(RegistryCredential.OfUser("tester", "wrong")) }) }, Sandbox.Token));
        Assert.Equal(ImageErrorReason.Unauthorized, failure.Reason);
        Assert.Contains("the user 'tester'", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("wrong", failure.ToString(), StringComparison.Ordinal);
    }

    private static System.Security.Cryptography.X509Certificates.X509Certificate2 MakeStranger()
    {
        using TestCertificates stranger = new();
        return System.Security.Cryptography.X509Certificates.X509CertificateLoader.LoadCertificate(stranger.Authority.RawData);
    }
}
