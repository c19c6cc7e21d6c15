using static Isolation.Linux.SystemCall;

namespace Isolation.Launch;

/// <summary>A private writable layer over a directory of the host: overlayfs with both its directories in the scratch tmpfs.</summary>
internal static class OverlaySteps
{
    // fsconfig(2) takes strings of up to 255 bytes; ':' separates lower directories and '\' escapes.
    private const int LongestPath = 255;

    internal static void MakeLayer(MountWriter mounts, string name)
    {
        mounts.Writer.Call(mkdirat, mounts.Scratch, name + ".upper", Operand.Octal(0x1ED));
        mounts.Writer.Call(mkdirat, mounts.Scratch, name + ".work", Operand.Octal(0x1C0));
    }

    /// <summary>The overlay, detached. The layer must be made, and the scratch tmpfs must be the current directory.</summary>
    internal static Slot Mount(MountWriter mounts, string lower, string name, Label? onError)
    {
        if (NeedsAlias(lower)) lower = Alias(mounts, lower, name, onError);
        List<(string, string)> options = [("lowerdir", lower), ("upperdir", name + ".upper"), ("workdir", name + ".work")];

        // In a user namespace trusted.* attributes are out of reach: user.overlay.* instead (Linux 5.11).
        if (!mounts.Inputs.Spec.Namespaces.IsHost(NamespaceKind.User)) options.Add(("userxattr", ""));
        return mounts.NewFilesystem("overlay", MountAttributes.NoDevices, [.. options], onError);
    }

    private static bool NeedsAlias(string lower) =>
        System.Text.Encoding.UTF8.GetByteCount(lower) > LongestPath || lower.AsSpan().ContainsAny(':', '\\', ',');

    /// <summary>A path that overlayfs would misread is bound to a name in the scratch tmpfs first.</summary>
    private static string Alias(MountWriter mounts, string lower, string name, Label? onError)
    {
        string alias = name + ".lower";
        mounts.Writer.Call(mkdirat, mounts.Scratch, alias, Operand.Octal(0x1C0));
        Slot clone = mounts.CloneOfHost(lower, recursive: false);
        LaunchStep attach = mounts.AttachBelow(clone, mounts.Scratch, alias);
        if (onError is not null) attach.OnErrorGo(onError);
        return alias;
    }
}
