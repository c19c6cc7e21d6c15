namespace Isolation.Launch;

/// <summary><c>/tmp</c> and <c>/run</c>: a tmpfs each, never shared, so that a program that asks for its size is told the truth.</summary>
internal static class PrivateDirectorySteps
{
    internal static void Write(MountWriter mounts)
    {
        ContainerSpec spec = mounts.Inputs.Spec;
        Mount(mounts, "tmp", spec.TmpSize, 0x3FF);
        Mount(mounts, "run", spec.RunSize, 0x1ED);
    }

    private static void Mount(MountWriter mounts, string path, long size, int mode)
    {
        if (size == 0 || FilesystemPlanner.IsOverridden(mounts.Inputs, path)) return;
        mounts.Writer.For($"mount the private /{path}");
        mounts.Attach(mounts.NewTmpfs(MountAttributes.Data, size, mode), path);
    }
}
