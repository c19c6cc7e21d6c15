using System.Collections.Immutable;
using System.Text;
using Isolation.Images;

namespace Isolation.Live.Tests;

/// <summary>Images come in where their signatures say so. Keys and signatures are made by openssl(1), laid out as cosign and notation do it.</summary>
public sealed class TrustTests
{
    private const string Payload = "application/vnd.dev.cosign.simplesigning.v1+json", Annotation = "dev.cosignproject.cosign/signature";

    [Theory]
    [InlineData("-algorithm EC -pkeyopt ec_paramgen_curve:P-256", false)]
    [InlineData("-algorithm RSA -pkeyopt rsa_keygen_bits:2048", false)]
    [InlineData("-algorithm EC -pkeyopt ec_paramgen_curve:P-256", true)]
    public async Task An_image_with_a_signature_of_the_key_comes_in(string algorithm, bool asReferrer)
    {
        await using RegistryFixture fixture = await RegistryFixture.MakeAsync(layerBytes: 1000);
        await fixture.PushAsync();
        string key = await MakeKeyAsync(fixture, algorithm, "key"), stranger = await MakeKeyAsync(fixture, algorithm, "stranger");
        await SignAsync(fixture, "key", fixture.Image.Digest, asReferrer);

        Image pulled = await fixture.PullAsync(new() { Trust = ImageTrust.CosignKey(key) });

        Assert.Equal(fixture.Image.Digest, pulled.Digest);
        Assert.Equal(fixture.Image.Digest, (await fixture.PullAsync(new() { Trust = ImageTrust.CosignKey(key) })).Digest); // and is asked for each time
        ImageException failure = await fixture.FailureAsync(new() { Trust = ImageTrust.CosignKey(stranger) });
        Assert.Equal(ImageErrorReason.Untrusted, failure.Reason);
        Assert.Contains("none of its 1 signatures is of the key", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_signature_of_another_image_is_none_and_nothing_has_come()
    {
        await using RegistryFixture fixture = await RegistryFixture.MakeAsync(layerBytes: 1000);
        await fixture.PushAsync();
        string key = await MakeKeyAsync(fixture, "-algorithm EC -pkeyopt ec_paramgen_curve:P-256", "key");

        ImageException none = await fixture.FailureAsync(new() { Trust = ImageTrust.CosignKey(key) });
        await SignAsync(fixture, "key", Digest.Of([1]), asReferrer: false);
        ImageException another = await fixture.FailureAsync(new() { Trust = ImageTrust.CosignKey(key) });

        Assert.Contains("it has no signature of cosign's", none.Message, StringComparison.Ordinal);
        Assert.Contains("what the key has signed is another image", another.Message, StringComparison.Ordinal);
        Assert.Empty(await fixture.Store.ListAsync(Sandbox.Token));
        Assert.Empty(Directory.GetFiles(fixture["store/blobs"], "*", SearchOption.AllDirectories));
        Assert.Equal(0, fixture.Proxy.CountOf("GET", fixture.Image.Layers[0].Descriptor.Digest.ToString()));
    }

    [Fact]
    public async Task Signatures_of_other_layouts_are_handed_to_the_policy()
    {
        await using RegistryFixture fixture = await RegistryFixture.MakeAsync(layerBytes: 1000);
        RegistryClient client = fixture.Client();
        await fixture.PushAsync(client);
        byte[] envelope = Encoding.UTF8.GetBytes("{\"payload\":\"\"}");
        Descriptor blob = await PutBlobAsync(fixture, client, "application/jose+json", envelope), empty = await PutBlobAsync(fixture, client, MediaTypes.Empty, "{}"u8.ToArray());
        byte[] manifest = ImageJson.ToUtf8(new Manifest { SchemaVersion = 2, MediaType = MediaTypes.Manifest, ArtifactType = "application/vnd.cncf.notary.signature", Config = empty, Layers = [blob], Subject = Subject(fixture) }, ImageModel.Default.Manifest);
        Descriptor signature = await client.PutManifestAsync(fixture.Name.WithDigest(Digest.Of(manifest)), MediaTypes.Manifest, manifest, Sandbox.Token);
        ImageSignature? seen = null;

        ImageException failure = await fixture.FailureAsync(new()
        {
            Trust = async (request, token) =>
            {
                seen = Assert.Single(await request.ListSignaturesAsync(token));
                return TrustVerdict.Refused("nobody likes it");
            },
        });

        Assert.Contains("nobody likes it", failure.Message, StringComparison.Ordinal);
        Assert.Equal((SignatureKind.Notation, signature.Digest, blob.Digest), (seen!.Kind, seen.Manifest.Digest, seen.Blob.Digest));
        Assert.Equal(envelope, seen.Payload.ToArray());
        Descriptor listed = Assert.Single(await client.ListReferrersAsync(fixture.Name.WithDigest(fixture.Image.Digest), "application/vnd.cncf.notary.signature", Sandbox.Token));
        Assert.Equal(signature.Digest, listed.Digest);
        Assert.Empty(await client.ListReferrersAsync(fixture.Name.WithDigest(fixture.Image.Digest), "application/vnd.other", Sandbox.Token));
    }

    [Fact]
    public void What_is_no_key_is_refused_at_once() => Assert.Throws<ArgumentException>(() => ImageTrust.CosignKey("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"));

    private static Descriptor Subject(RegistryFixture fixture) => new() { MediaType = fixture.Image.Descriptor.MediaType, Digest = fixture.Image.Digest, Size = fixture.Image.Descriptor.Size };

    private static async Task<string> MakeKeyAsync(RegistryFixture fixture, string algorithm, string name)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/openssl"), "there is no /usr/bin/openssl: install openssl");
        await ImageTools.RunAsync("openssl", ["genpkey", .. algorithm.Split(' '), "-out", fixture[name]]);
        return await ImageTools.RunAsync("openssl", "pkey", "-in", fixture[name], "-pubout");
    }

    private static async Task SignAsync(RegistryFixture fixture, string key, Digest digest, bool asReferrer)
    {
        RegistryClient client = fixture.Client();
        byte[] payload = Encoding.UTF8.GetBytes($$$"""{"critical":{"identity":{"docker-reference":"{{{fixture.Name.Name}}}"},"image":{"docker-manifest-digest":"{{{digest}}}"},"type":"cosign container image signature"},"optional":null}""");
        await File.WriteAllBytesAsync(fixture["payload"], payload, Sandbox.Token);
        await ImageTools.RunAsync("openssl", "dgst", "-sha256", "-sign", fixture[key], "-out", fixture["signature"], fixture["payload"]);
        Descriptor blob = await PutBlobAsync(fixture, client, Payload, payload), config = await PutBlobAsync(fixture, client, MediaTypes.Config, Encoding.UTF8.GetBytes("""{"architecture":"","os":"","rootfs":{"type":"layers","diff_ids":[]}}"""));
        blob = blob with { Annotations = ImmutableSortedDictionary<string, string>.Empty.Add(Annotation, Convert.ToBase64String(await File.ReadAllBytesAsync(fixture["signature"], Sandbox.Token))) };
        Manifest manifest = new() { SchemaVersion = 2, MediaType = MediaTypes.Manifest, Config = config, Layers = [blob], ArtifactType = asReferrer ? "application/vnd.dev.cosign.artifact.sig.v1+json" : null, Subject = asReferrer ? Subject(fixture) : null };
        byte[] content = ImageJson.ToUtf8(manifest, ImageModel.Default.Manifest);
        ImageReference to = asReferrer ? fixture.Name.WithDigest(Digest.Of(content)) : ImageReference.Parse($"{fixture.Name.Name}:sha256-{fixture.Image.Digest.Encoded}.sig");
        await client.PutManifestAsync(to, MediaTypes.Manifest, content, Sandbox.Token);
    }

    private static async Task<Descriptor> PutBlobAsync(RegistryFixture fixture, RegistryClient client, string type, byte[] content)
    {
        Descriptor blob = new() { MediaType = type, Digest = Digest.Of(content), Size = content.Length };
        await client.PutBlobAsync(fixture.Name, blob, _ => ValueTask.FromResult<Stream>(new MemoryStream(content)), cancellationToken: Sandbox.Token);
        return blob;
    }
}
