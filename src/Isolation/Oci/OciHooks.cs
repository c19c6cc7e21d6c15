using System.Collections.Immutable;

namespace Isolation;

/// <summary>A program that is run at a point of a container's life (config.md, "POSIX-platform Hooks").</summary>
/// <param name="Path">Absolute.</param>
/// <param name="Arguments">As of execve(2), the name first; the path alone where none are given.</param>
/// <param name="Environment">All of it.</param>
/// <param name="Timeout">How long it may take; null for as long as it wants.</param>
internal sealed record OciHook(string Path, ImmutableArray<string> Arguments, ImmutableArray<string> Environment, TimeSpan? Timeout);

/// <summary>The hooks of a configuration, in the order in which their points come.</summary>
internal sealed record OciHooks
{
    internal static OciHooks None { get; } = new();

    internal ImmutableArray<OciHook> Prestart { get; private init; } = [];
    internal ImmutableArray<OciHook> CreateRuntime { get; private init; } = [];
    internal ImmutableArray<OciHook> CreateContainer { get; private init; } = [];
    internal ImmutableArray<OciHook> StartContainer { get; private init; } = [];
    internal ImmutableArray<OciHook> Poststart { get; private init; } = [];
    internal ImmutableArray<OciHook> Poststop { get; private init; } = [];

    /// <summary>Whether any is run while the container is made.</summary>
    internal bool HasCreation => !Prestart.IsEmpty || !CreateRuntime.IsEmpty || !CreateContainer.IsEmpty;

    internal bool IsEmpty => !HasCreation && StartContainer.IsEmpty && Poststart.IsEmpty && Poststop.IsEmpty;

    internal static OciHooks Read(OciNode? node) => new()
    {
        Prestart = Read(node, "prestart"), CreateRuntime = Read(node, "createRuntime"), CreateContainer = Read(node, "createContainer"),
        StartContainer = Read(node, "startContainer"), Poststart = Read(node, "poststart"), Poststop = Read(node, "poststop"),
    };

    private static ImmutableArray<OciHook> Read(OciNode? node, string name) => [.. node.Find(name).Items().Select(One)];

    private static OciHook One(OciNode node)
    {
        string path = node.Get("path").Text();
        if (!path.StartsWith('/')) throw node.Get("path").Bad($"'{path}' is to be an absolute path");
        string[] arguments = node.Find("args").Texts();
        return new(path, arguments.Length == 0 ? [path] : [.. arguments], [.. node.Find("env").Texts()],
            node.Find("timeout") is { } timeout ? TimeSpan.FromSeconds(timeout.Number(1, int.MaxValue)) : null);
    }
}
