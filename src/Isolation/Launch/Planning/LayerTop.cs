using System.Collections.Immutable;
using System.Text;
using Isolation.Linux;

namespace Isolation.Launch;

/// <summary>
/// What the top of a private layer over a directory must be like: overlayfs shows the mode and owner of its upper directory,
/// and a layer like any new directory would open one that only its owner may enter.
/// </summary>
/// <param name="Mode">Permissions, with set-ID and sticky bits.</param>
/// <param name="User">Its owner's id.</param>
/// <param name="Group">Its group's id.</param>
internal readonly record struct LayerTop(uint Mode, uint User, uint Group)
{
    internal static LayerTop Usual { get; } = new(0x1ED /* 0755 */, 0, 0);

    /// <summary>Of the directories that a plan lays a layer over, those that are not as usual, by their paths.</summary>
    internal static ImmutableSortedDictionary<string, LayerTop> Read(PlanInputs inputs)
    {
        ContainerSpec spec = inputs.Spec;
        if (!spec.Namespaces.IsNew(NamespaceKind.Mount) || spec.LayerDirectory is not null) return ImmutableSortedDictionary<string, LayerTop>.Empty;
        string[] paths = spec.Root switch
        {
            HostRoot => [.. HostRootLayout.For(inputs).Where(part => part.Kind == HostRootPartKind.Overlay).Select(part => "/" + part.Path)],
            DirectoryRoot { Access: RootAccess.Layered } root => [root.Path],
            LayersRoot root => [root.Layers[^1]],
            _ => [],
        };
        ImmutableSortedDictionary<string, LayerTop>.Builder tops = ImmutableSortedDictionary.CreateBuilder<string, LayerTop>(StringComparer.Ordinal);
        using FileDescriptor? top = paths is [] ? null : FileDescriptor.Open("/", Abi.O_PATH | TargetAbi.Current.O_DIRECTORY);
        foreach (string path in paths)
        {
            // What is not there, the launch says.
            if (Syscall.IsError(FileEntries.Status(top!, Encoding.UTF8.GetBytes((path == "/" ? "." : path[1..]) + "\0"), out FileStatus status)) || status.Type != FileType.Directory) continue;
            LayerTop read = new(status.Mode, status.Uid, status.Gid);

            // In a new user namespace the layer is its root's, whatever ids it has.
            if (!spec.Namespaces.IsHost(NamespaceKind.User)) read = read with { User = 0, Group = 0 };
            if (read != Usual) tops[path] = read;
        }

        return tops.ToImmutable();
    }
}
