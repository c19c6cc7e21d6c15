using System.Text.Json.Nodes;
using Isolation.Linux;

namespace Isolation.Images.Tests;

/// <summary>Indexes, platforms, parents and referrers, as a store tells them.</summary>
public sealed class ModelTests : IDisposable
{
    private readonly TestLayout _layout = new();

    public void Dispose() => _layout.Dispose();

    [Fact]
    public async Task Of_an_index_within_an_index_the_best_image_for_a_platform_is_taken()
    {
        JsonObject ForPlatform(string platform, bool said)
        {
            Platform on = Platform.Parse(platform);
            JsonObject described = _layout.Add(_layout.Manifest(TestLayout.Config(on)));
            if (said) described["platform"] = new JsonObject { ["os"] = on.Os, ["architecture"] = on.Architecture, ["variant"] = on.Variant };
            return described;
        }

        JsonObject within = _layout.Add(TestLayout.Index(ForPlatform("linux/arm/v5", said: true), ForPlatform("linux/arm/v7", said: true), ForPlatform("linux/riscv64", said: false)));
        JsonObject top = _layout.Add(TestLayout.Index(ForPlatform("linux/amd64", said: true), within, ForPlatform("linux/arm64", said: true)));
        _layout.Write(TestLayout.Index(TestLayout.Named(top, "many")));
        ImageStore store = await _layout.OpenAsync();
        await store.LoadAsync(_layout.Path, cancellationToken: TestContext.Current.CancellationToken);

        foreach ((string wanted, string? got) in ((string, string?)[])[("linux/arm/v7", "linux/arm/v7"), ("linux/arm/v6", "linux/arm/v5"), ("linux/arm64", "linux/arm64"), ("linux/riscv64", "linux/riscv64"), ("linux/amd64/v3", "linux/amd64"), ("linux/s390x", null)])
            Assert.Equal(got, (await store.FindAsync(ImageReference.Parse("many"), Platform.Parse(wanted), TestContext.Current.CancellationToken))?.Platform.ToString());

        ImageException exception = await Assert.ThrowsAsync<ImageException>(() => store.GetAsync(ImageReference.Parse("many"), Platform.Parse("linux/s390x"), TestContext.Current.CancellationToken));
        Assert.Contains("is for linux/amd64 and linux/arm/v5 and linux/arm/v7 and linux/riscv64 and linux/arm64, and not for linux/s390x", exception.Message, StringComparison.Ordinal);
        Assert.Contains("is not in the store", (await Assert.ThrowsAsync<ImageException>(() => store.GetAsync(ImageReference.Parse("none"), cancellationToken: TestContext.Current.CancellationToken))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Artifacts_are_kept_and_told_of_what_they_refer_to()
    {
        JsonObject image = _layout.Add(_layout.Manifest());
        JsonObject signature = new()
        {
            ["schemaVersion"] = 2, ["mediaType"] = MediaTypes.Manifest, ["artifactType"] = "application/vnd.example.signature", ["config"] = _layout.Add(MediaTypes.Empty, "{}"u8.ToArray()),
            ["layers"] = new JsonArray(_layout.Add("application/octet-stream", "signed"u8.ToArray())), ["subject"] = image.DeepClone(), ["annotations"] = new JsonObject { ["by"] = "somebody" },
        };
        JsonObject described = _layout.Add(signature);
        _layout.Write(TestLayout.Index(TestLayout.Named(image, "image"), described));
        ImageStore store = await _layout.OpenAsync();

        Image loaded = Assert.Single(await store.LoadAsync(_layout.Path, cancellationToken: TestContext.Current.CancellationToken));

        Descriptor referrer = Assert.Single(await store.ListReferrersAsync(loaded.Digest, TestContext.Current.CancellationToken));
        Assert.Equal(((string)described["digest"]!, "application/vnd.example.signature", "somebody"), (referrer.Digest.ToString(), referrer.ArtifactType, referrer.Annotations!["by"]));
        Assert.Empty(await store.ListReferrersAsync(referrer.Digest, TestContext.Current.CancellationToken));
        Assert.Single(await store.ListAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Parents_and_history_are_told()
    {
        ImageStore store = await _layout.OpenAsync();
        using MemoryStream tar = new(TestLayout.Layer);
        Image image = await store.ImportArchiveAsync(tar, new() { Reference = ImageReference.Parse("zero"), Comment = "zero" }, cancellationToken: TestContext.Current.CancellationToken);
        List<Image> images = [image];
        for (int i = 1; i < 4; i++)
        {
            Directory.CreateDirectory(_layout[$"upper{i}/made{i}"]);
            using FileDescriptor upper = FileDescriptor.Open(_layout[$"upper{i}"], Abi.O_RDONLY);
            images.Add(await store.CommitAsync(images[^1], upper, new(), new() { Reference = i == 2 ? null : ImageReference.Parse($"n{i}"), Comment = $"{i}" }, TestContext.Current.CancellationToken));
        }

        Image last = await store.GetAsync(ImageReference.Parse("n3"), cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(images.SkipLast(1).Reverse().Select(each => (each.Digest, each.Reference)), last.Parents.Select(parent => (parent.Digest, parent.Reference)));
        Assert.Equal(["zero", "1", "2", "3"], last.History.Select(entry => entry.Comment));
        Assert.Empty(image.Parents);
    }

    [Fact]
    public async Task A_configuration_says_its_health_check_and_ports_and_what_nobody_knows_survives()
    {
        JsonObject config = TestLayout.Config();
        config["config"]!["Healthcheck"] = JsonNode.Parse("""{"Test":["CMD","x"],"Interval":30000000000,"Retries":3,"Later":true}""");
        config["config"]!["ExposedPorts"] = JsonNode.Parse("""{"80/tcp":{}}""");
        config["config"]!["OnBuild"] = new JsonArray("RUN x");
        config["moby.buildkit.cache"] = "y";
        _layout.Write(TestLayout.Index(_layout.Add(_layout.Manifest(config))));
        ImageStore store = await _layout.OpenAsync();
        Image image = Assert.Single(await store.LoadAsync(_layout.Path, cancellationToken: TestContext.Current.CancellationToken));

        ProgramConfig program = image.Config.Config!;
        Assert.Equal((30_000_000_000, 3, "x"), (program.HealthCheck!.Interval, program.HealthCheck.Retries, program.HealthCheck.Test!.Value[1]));
        Assert.Equal(["80/tcp"], program.ExposedPorts!.Keys);
        Directory.CreateDirectory(_layout["upper"]);
        using FileDescriptor upper = FileDescriptor.Open(_layout["upper"], Abi.O_RDONLY);
        Image made = await store.CommitAsync(image, upper, new(), new(), TestContext.Current.CancellationToken);
        JsonNode written = JsonNode.Parse(store.Blobs.Read(made.Manifest.Config))!;
        Assert.True(JsonNode.DeepEquals(config["config"], written["config"]), written.ToJsonString());
        Assert.Equal("y", (string?)written["moby.buildkit.cache"]);
    }
}
