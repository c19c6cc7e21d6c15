using System.Text.Json.Nodes;

namespace Isolation.Live.Tests;

/// <summary>A bundle of busybox's programs, and a root that containers of it are recorded in.</summary>
internal sealed class Bundle : IDisposable
{
    private readonly TestRoot _root = new(mountPoints: false);
    private readonly TemporaryDirectory _directory = new();

    // Its control group is at the same path for all.
    private readonly string _id = $"one-{Guid.NewGuid():N}";

    internal Bundle(params string[] command)
    {
        Config = JsonNode.Parse(OciFeatures.ExampleConfig(rootless: !Lane.IsRoot))!.AsObject();
        Config["process"]!["terminal"] = false;
        Config["process"]!["args"] = new JsonArray([.. command.Select(word => JsonValue.Create(word))]);
        Config["root"]!["path"] = _root.Path;
        Containers = new(_directory["state"]);
        Bind(_directory.MakeDirectory("out"), "/out");
    }

    internal JsonObject Config { get; }

    internal OciRuntimeRoot Containers { get; }

    internal string Path => _directory.MakeDirectory("bundle");

    internal string Output => File.Exists(_directory["out/text"]) ? File.ReadAllText(_directory["out/text"]) : "";

    /// <summary>A file of the host's that hooks may write.</summary>
    internal string this[string name] => _directory[name];

    internal static Bundle Shell(string script) => new("/bin/sh", "-c", script);

    internal void Bind(string source, string target) => Config["mounts"]!.AsArray().Add(new JsonObject
    {
        ["destination"] = target, ["type"] = "bind", ["source"] = source, ["options"] = new JsonArray("rbind", "rw"),
    });

    internal void Hook(string point, string script, int? timeout = null, string name = "hook")
    {
        JsonObject hooks = Config["hooks"] as JsonObject ?? [];
        Config["hooks"] = hooks;
        JsonArray array = hooks[point] as JsonArray ?? [];
        hooks[point] = array;
        JsonObject hook = new() { ["path"] = "/bin/sh", ["args"] = new JsonArray(name, "-c", script) };
        if (timeout is { } seconds) hook["timeout"] = seconds;
        array.Add((JsonNode)hook);
    }

    internal OciCreateOptions Write()
    {
        File.WriteAllText(System.IO.Path.Join(Path, "config.json"), Config.ToJsonString());
        return new() { Bundle = Path };
    }

    internal Task<OciProgram> CreateAsync(string id) => Containers.CreateAsync(id, Write(), Sandbox.Token);

    /// <summary>From the making to the end.</summary>
    internal async Task<ContainerResult> RunAsync(string? id = null)
    {
        id ??= _id;
        OciProgram program = await CreateAsync(id);
        await Containers.StartAsync(id, Sandbox.Token);
        ContainerResult result = await program.WaitAsync(Sandbox.Token);
        await Containers.DeleteAsync(id, cancellationToken: Sandbox.Token);
        return result;
    }

    internal async Task<string> RefusalAsync(string? id = null) => (await Assert.ThrowsAsync<OciRuntimeException>(() => CreateAsync(id ?? _id))).Message;

    public void Dispose()
    {
        foreach (OciState state in Containers.List()) Containers.DeleteAsync(state.Id, force: true).GetAwaiter().GetResult();
        _root.Dispose();
        _directory.Dispose();
    }
}
