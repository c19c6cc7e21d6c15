using Isolation.Linux;
using Isolation.UnionFs;

namespace Isolation;

/// <summary>A private layer in a directory of the caller's, which is there again for the next container.</summary>
internal static class KeptLayer
{
    private const uint OwnersAlone = 0x1C0;

    /// <summary>Makes the directory where it is missing, and takes it for this container alone: two that write one layer destroy it.</summary>
    /// <exception cref="ContainerException">Another container has it, or its file system cannot limit it.</exception>
    internal static FileDescriptor Open(ContainerSpec spec, RootWay way)
    {
        string path = spec.LayerDirectory!;
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using (FileDescriptor parent = FileDescriptor.Open(Path.GetDirectoryName(path)!, Abi.O_RDONLY | TargetAbi.Current.O_DIRECTORY)) WritableDirectory.MakeOne(parent, Path.GetFileName(path), OwnersAlone);
        FileDescriptor directory = WritableDirectory.Open(path);
        try
        {
            if (!FileLock.TryTake(directory)) throw new ContainerException(ContainerErrorReason.MountFailed, $"The layer '{path}' is in use by another container", null, "give each container a layer of its own, or wait for the other's end");
            CheckForm(path, way.Place == RootPlace.Plan && !spec.Namespaces.IsHost(NamespaceKind.User) ? $"{way.Driver} in a user namespace" : $"{way.Driver}");
            if (spec.LayerBytes is { } bytes && !ProjectQuota.TryLimit(directory, bytes))
            {
                throw new ContainerException(ContainerErrorReason.LimitRefused, $"The layer '{path}' cannot be limited to {bytes} bytes: its file system keeps no project quotas, or this user may not set them", null,
                    "ext4: mkfs -O quota,project and mount -o prjquota; XFS: mount -o prjquota; or leave the size out, or the directory: a layer in memory always has a limit");
            }

            return directory;
        }
        catch
        {
            FileLock.ReleaseAndClose(directory);
            throw;
        }
    }

    /// <summary>What one driver says is gone another may show again, so a layer is always that driver's who wrote it first.</summary>
    private static void CheckForm(string path, string form)
    {
        string file = Path.Join(path, "driver");
        if (!File.Exists(file)) File.WriteAllText(file, form);
        else if (File.ReadAllText(file) is var before && before != form)
            throw new ContainerException(ContainerErrorReason.MountFailed, $"The layer '{path}' was written by {before}, and now it would be {form}", null, "say with WithUnionDriver and WithUserNs who it was, or take another directory");
    }

    /// <summary>For a child that mounts it itself.</summary>
    internal static void Prepare(FileDescriptor directory, LayersRoot root)
    {
        using FileDescriptor top = OpenedBranches.OpenOne(root.Layers[^1]);
        WritableDirectory.Prepare(directory, top, withWork: true).Dispose();
    }
}
