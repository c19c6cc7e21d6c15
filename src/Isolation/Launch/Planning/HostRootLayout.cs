namespace Isolation.Launch;

internal enum HostRootPartKind
{
    /// <summary>An empty root that the other parts are put into.</summary>
    Skeleton,
    Directory,
    Link,
    Overlay,
    Bind,
}

/// <summary>One part of a root made of the host's files; paths have no leading slash, and the root itself is empty.</summary>
internal sealed record HostRootPart(HostRootPartKind Kind, string Path)
{
    internal string? Link { get; init; }

    internal int Mode { get; init; } = 0x1ED;

    /// <summary>The place it is put must be made first.</summary>
    internal bool Create { get; init; }

    internal bool IsDirectory { get; init; } = true;

    /// <summary>It is <c>/var</c> in a new user namespace, with a <c>tmp</c> that everybody may write.</summary>
    internal bool HasOpenTmp => Path == "var" && Create;
}

/// <summary>
/// How the host's tree is put together anew. Where the mounts were made by the caller's own user namespace one overlay
/// lies over <c>/</c> and one over each mount beneath it. In a new user namespace the mounts beneath <c>/</c> are locked
/// to it (mount_namespaces(7)), and the kernel refuses an overlay that would show what they cover: there the root is new
/// and every directory of <c>/</c> is laid over by itself.
/// </summary>
internal static class HostRootLayout
{
    // What every container has of its own.
    private static readonly string[] Replaced = ["proc", "sys", "dev", "tmp", "run"];

    internal static IReadOnlyList<HostRootPart> For(PlanInputs inputs) =>
        inputs.Spec.Namespaces.IsHost(NamespaceKind.User) ? Whole(inputs) : Pieces(inputs);

    private static List<HostRootPart> Whole(PlanInputs inputs)
    {
        List<HostRootPart> parts = [new(HostRootPartKind.Overlay, "")];
        List<string> given = [.. EtcSteps.Targets(inputs.Spec)];

        // A container's /etc/hosts and the like are mounts where this host is a container itself; the new one has its own.
        foreach (HostMount mount in Kept(inputs).Where(mount => mount.IsDirectory || !given.Contains(mount.Path[1..])))
            parts.Add(new(mount.IsDirectory ? HostRootPartKind.Overlay : HostRootPartKind.Bind, mount.Path[1..]) { IsDirectory = mount.IsDirectory });
        return parts;
    }

    private static List<HostRootPart> Pieces(PlanInputs inputs)
    {
        List<HostMount> mounts = Kept(inputs);
        List<HostRootPart> parts = [new(HostRootPartKind.Skeleton, "")];
        foreach (HostRootEntry entry in inputs.Host.RootEntries)
        {
            if (entry.Name.Contains('/'))
                continue; // belongs to the directory it is in
            else if (Replaced.Contains(entry.Name))
                parts.Add(new(HostRootPartKind.Directory, entry.Name));
            else if (entry.Kind == HostEntryKind.SymbolicLink)
                parts.Add(new(HostRootPartKind.Link, entry.Name) { Link = entry.Link });
            else if (entry.Kind == HostEntryKind.File)
                parts.Add(new(HostRootPartKind.Bind, entry.Name) { Create = true, IsDirectory = false });
            else if (entry.Kind == HostEntryKind.EmptyDirectory)
                parts.Add(new(HostRootPartKind.Directory, entry.Name) { Mode = entry.Mode });
            else
                AddDirectory(parts, inputs, entry, mounts);
        }

        // The directories every container mounts upon must be there, whatever the host has.
        foreach (string name in Replaced)
            if (!inputs.Host.RootEntries.Any(entry => entry.Name == name)) parts.Add(new(HostRootPartKind.Directory, name));
        return parts;
    }

    private static void AddDirectory(List<HostRootPart> parts, PlanInputs inputs, HostRootEntry entry, List<HostMount> mounts)
    {
        string path = "/" + entry.Name;
        List<HostMount> beneath = [.. mounts.Where(mount => mount.Path.StartsWith(path + "/", StringComparison.Ordinal))];
        if (beneath.Count == 0)
        {
            parts.Add(new(HostRootPartKind.Overlay, entry.Name) { Create = true, Mode = entry.Mode });
            return;
        }

        // Locked together: taken whole, with the mounts beneath, read-only; the directories in it that hold none of them
        // can be laid over all the same.
        parts.Add(new(HostRootPartKind.Bind, entry.Name) { Create = true });
        foreach (HostRootEntry child in inputs.Host.RootEntries)
        {
            if (child.Name.StartsWith(entry.Name + "/", StringComparison.Ordinal)
                && !beneath.Any(mount => mount.Path.StartsWith($"/{child.Name}/", StringComparison.Ordinal)))
            {
                parts.Add(new(HostRootPartKind.Overlay, child.Name));
            }
        }
    }

    /// <summary>Directories that stay read-only themselves; for the report of what is in force.</summary>
    internal static IEnumerable<string> WithoutLayer(PlanInputs inputs) => For(inputs)
        .Where(part => part.Kind == HostRootPartKind.Bind && part.IsDirectory).Select(part => "/" + part.Path);

    private static List<HostMount> Kept(PlanInputs inputs) =>
        [.. inputs.Host.Mounts.Where(mount => mount.Path != "/" && !Replaced.Any(name =>
            mount.Path == "/" + name || mount.Path.StartsWith($"/{name}/", StringComparison.Ordinal)))];
}
