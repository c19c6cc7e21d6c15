using System.Collections.Immutable;
using System.Globalization;
using Isolation.Launch;
using Isolation.Linux;

namespace Isolation;

/// <summary>
/// Looks a user up in the container's own <c>/etc/passwd</c> and <c>/etc/group</c> (passwd(5), group(5)), from outside and
/// without following links out of the root.
/// </summary>
internal static class IdentityResolver
{
    private const int LargestFile = 4 << 20;

    internal static Identity Resolve(ContainerSpec spec, HostFacts host, RootView? root)
    {
        Identity identity = OfUser(spec, host, root);
        return spec.Groups is { } groups ? identity with { Groups = groups } : identity;
    }

    private static Identity OfUser(ContainerSpec spec, HostFacts host, RootView? root)
    {
        if (spec.User is not { } user)
        {
            // In the host's user namespace the program is who the caller is.
            return spec.Namespaces.IsHost(NamespaceKind.User) && host.UserId != 0
                ? new(host.UserId, host.GroupId, [], Environment.GetFolderPath(Environment.SpecialFolder.UserProfile))
                : Identity.Root;
        }

        List<string[]> passwd = Read(spec, root, "passwd", 7), group = Read(spec, root, "group", 4);
        string[]? entry = passwd.Find(line => line[0] == user.User)
            ?? (Number(user.User) is { } wanted ? passwd.Find(line => Number(line[2]) == wanted) : null);
        uint id = (entry is null ? null : Number(entry[2])) ?? Number(user.User)
            ?? throw new ContainerException(ContainerErrorReason.UserNotFound, $"The user '{user.User}' is not in the container's /etc/passwd", null,
                "name one that is, or give a number");
        uint groupId = user.Group is { } name ? Group(group, name) : (entry is null ? null : Number(entry[3])) ?? 0;

        // A group that is named replaces the user's others, as it does for other runtimes.
        ImmutableArray<uint> supplementary = user.Group is not null || entry is null
            ? []
            : [.. group.Where(line => line[3].Split(',').Contains(entry[0])).Select(line => Number(line[2])).OfType<uint>().Where(other => other != groupId).Distinct()];
        return new(id, groupId, supplementary, entry is { } found && found[5].Length > 0 ? found[5] : id == 0 ? "/root" : "/");
    }

    private static uint Group(List<string[]> group, string name)
    {
        string[]? entry = group.Find(line => line[0] == name);
        return (entry is null ? null : Number(entry[2])) ?? Number(name)
            ?? throw new ContainerException(ContainerErrorReason.GroupNotFound, $"The group '{name}' is not in the container's /etc/group", null,
                "name one that is, or give a number");
    }

    private static List<string[]> Read(ContainerSpec spec, RootView? root, string name, int fields)
    {
        string text;
        try
        {
            if (spec.Mounts.OfType<BindMount>().LastOrDefault(bind => bind.Target == "/etc/" + name) is { } file) text = File.ReadAllText(file.Source);
            else if (spec.Mounts.OfType<BindMount>().LastOrDefault(bind => bind.Target == "/etc") is { } directory) text = File.ReadAllText(Path.Join(directory.Source, name));
            else if (root is not null) text = root.ReadAllText("etc/" + name, LargestFile);
            else if (spec.Namespaces.IsHost(NamespaceKind.Mount)) text = File.ReadAllText("/etc/" + name);
            else return []; // whose files those of a joined mount namespace are is not known out here
        }
        catch (Exception exception) when (exception is LinuxException { Errno: Errno.ENOENT or Errno.ENOTDIR } or FileNotFoundException or DirectoryNotFoundException)
        {
            return []; // a root without the file has no names, and numbers do without them
        }

        return [.. text.Split('\n').Select(line => line.TrimEnd('\r').Split(':')).Where(line => line.Length >= fields && line[0].Length > 0 && line[0][0] != '#')];
    }

    private static uint? Number(string text) =>
        uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out uint id) && id != uint.MaxValue ? id : null;
}
