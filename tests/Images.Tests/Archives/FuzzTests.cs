using System.Diagnostics;
using System.IO.Compression;
using System.Text.Json.Nodes;

namespace Isolation.Images.Tests;

/// <summary>
/// Whatever is loaded, it is loaded or refused by an <see cref="ImageException"/>, and the store is as good as before. By
/// default a few hundred inputs; ISOLATION_FUZZ says for how many seconds each test goes on.
/// </summary>
[Trait("Category", "Slow")]
public sealed class FuzzTests : IDisposable
{
    private static readonly int Seconds = int.TryParse(Environment.GetEnvironmentVariable("ISOLATION_FUZZ"), out int seconds) ? seconds : 0;
    private readonly TestLayout _layout = new();

    public void Dispose() => _layout.Dispose();

    public static TheoryData<string> Documents => ["manifest", "index", "config", "index.json"];

    [Theory, MemberData(nameof(Documents))]
    public async Task Every_field_of_every_document_may_be_anything(string document)
    {
        ImageStore store = await _layout.OpenAsync();
        JsonNode[] values = [.. ((string[])["null", "0", "-1", "true", "\"\"", "\"x\"", "[]", "{}", "[null]", "[1]", "{\"x\":null}", "1e999", "99999999999999999999", "-9223372036854775808", "1.5", "\"\\u0000\"", "\"../../../etc/passwd\"", $"\"{Digest.Of("elsewhere"u8)}\"", "\"sha256:\"", "\"sha512:00\"", new string('[', 60) + new string(']', 60)]).Select(text => JsonNode.Parse(text) ?? JsonValue.Create("\u0001null")!)];
        int count = 0;
        JsonNode? original = null;
        Documented(document, (_, node) => original = node);
        foreach (string[] path in Paths(original!))
        {
            foreach (JsonNode value in values)
            {
                _layout.Write(Documented(document, (_, node) => Replaced(node, path, value)));
                await LoadAsync(store, _layout.Path, $"{document} {string.Join('/', path)} = {value.ToJsonString()}");
                count++;
            }
        }

        Assert.True(count > 100, $"{count}");
        await AssertWholeAsync(store);
    }

    [Theory]
    [InlineData(ArchiveFormat.Docker, false)]
    [InlineData(ArchiveFormat.Oci, false)]
    [InlineData(ArchiveFormat.Oci, true)]
    public async Task Every_byte_of_an_archive_may_be_another(ArchiveFormat format, bool compressed)
    {
        ImageStore store = await _layout.OpenAsync(), other = await _layout.OpenAsync("other");
        _layout.Write(TestLayout.Index(TestLayout.Named(_layout.Add(_layout.Manifest()), "image")));
        using MemoryStream saved = new();
        await store.SaveArchiveAsync(await store.LoadAsync(_layout.Path, cancellationToken: TestContext.Current.CancellationToken), saved, format, TestContext.Current.CancellationToken);
        byte[] archive = compressed ? Compressed(saved.ToArray()) : saved.ToArray();
        Stopwatch time = Stopwatch.StartNew();
        for (int seed = 0; seed < 150 || time.Elapsed.TotalSeconds < Seconds; seed++)
        {
            byte[] changed = Changed(archive, new Random(seed));
            using MemoryStream stream = new(changed);
            await TryAsync(async () => await other.LoadArchiveAsync(stream, cancellationToken: TestContext.Current.CancellationToken), $"seed {seed}");
            using MemoryStream again = new(changed);
            await TryAsync(async () => await other.ImportArchiveAsync(again, cancellationToken: TestContext.Current.CancellationToken), $"import, seed {seed}");
        }

        await AssertWholeAsync(other);
    }

    private static byte[] Changed(byte[] archive, Random random)
    {
        byte[] changed = [.. archive];
        for (int i = random.Next(1, 6); i > 0; i--)
        {
            int at = random.Next(changed.Length), length = Math.Min(random.Next(1, 600), changed.Length - at);
            switch (random.Next(6))
            {
                case 0: changed[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: changed = changed[..at]; break;
                case 2: changed = [.. changed[..at], .. changed[(at + length)..]]; break;
                case 3: changed = [.. changed[..at], .. changed.AsSpan(at, length), .. changed[at..]]; break;
                case 4: random.NextBytes(changed.AsSpan(at, Math.Min(length, 16))); break;
                default: changed[at] = (byte)"0{}[]\",:/.-9"[random.Next(12)]; break;
            }

            if (changed.Length == 0) break;
        }

        return changed;
    }

    private static byte[] Compressed(byte[] content)
    {
        using MemoryStream stream = new();
        using (GZipStream gzip = new(stream, CompressionLevel.Fastest, leaveOpen: true)) gzip.Write(content);
        return stream.ToArray();
    }

    /// <summary>A layout in which one document is changed, and all that lead to it are right.</summary>
    private JsonNode Documented(string document, Func<string, JsonNode, JsonNode> change)
    {
        JsonNode Of(string name, JsonNode node) => name == document ? change(name, node) : node;
        JsonObject described = _layout.Add(Of("manifest", _layout.Manifest(Of("config", TestLayout.Config()))), MediaTypes.Manifest);
        described["platform"] = new JsonObject { ["os"] = "linux", ["architecture"] = Platform.Current.Architecture };
        JsonObject index = _layout.Add(Of("index", TestLayout.Index(described)), MediaTypes.Index);
        return Of("index.json", TestLayout.Index(TestLayout.Named(index, "image")));
    }

    private static IEnumerable<string[]> Paths(JsonNode document)
    {
        Stack<(string[] Path, JsonNode? Node)> left = new([([], document)]);
        while (left.TryPop(out (string[] Path, JsonNode? Node) at))
        {
            if (at.Path.Length > 0) yield return at.Path;
            IEnumerable<(string, JsonNode?)> inside = at.Node switch { JsonObject members => members.Select(member => (member.Key, member.Value)), JsonArray items => items.Select((item, i) => ($"{i}", item)), _ => [] };
            foreach ((string name, JsonNode? node) in inside) left.Push(([.. at.Path, name], node));
        }
    }

    private static JsonNode Replaced(JsonNode document, string[] path, JsonNode value)
    {
        JsonNode copy = document.DeepClone(), at = copy;
        foreach (string step in path[..^1]) at = at is JsonArray array ? array[int.Parse(step, System.Globalization.CultureInfo.InvariantCulture)]! : at[step]!;
        JsonNode? put = value.GetValueKind() == System.Text.Json.JsonValueKind.String && (string)value! == "\u0001null" ? null : value.DeepClone();
        if (at is JsonArray items) items[int.Parse(path[^1], System.Globalization.CultureInfo.InvariantCulture)] = put;
        else at[path[^1]] = put;
        return copy;
    }

    private static Task LoadAsync(ImageStore store, string path, string what) => TryAsync(async () =>
    {
        foreach (Image image in await store.LoadAsync(path, cancellationToken: TestContext.Current.CancellationToken))
            Assert.True(image.Platform is not null && image.History.Length >= 0 && image.Parents.Length >= 0);
    }, what);

    private static async Task TryAsync(Func<Task> action, string what)
    {
        try
        {
            await action();
        }
        catch (ImageException)
        {
        }
        catch (Exception exception)
        {
            Assert.Fail($"{what}: {exception}");
        }
    }

    private static async Task AssertWholeAsync(ImageStore store)
    {
        await store.ListAsync(TestContext.Current.CancellationToken);
        Assert.Empty(await store.VerifyAsync(TestContext.Current.CancellationToken));
        Assert.Empty(Directory.GetFileSystemEntries(System.IO.Path.Join(store.Path, "isolation/temporary")));
    }
}
