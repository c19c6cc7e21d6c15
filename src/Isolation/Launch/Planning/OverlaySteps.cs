using System.Collections.Immutable;
using System.Text;
using Isolation.UnionFs;
using static Isolation.Linux.Abi;
using static Isolation.Linux.SystemCall;

namespace Isolation.Launch;

/// <summary>A private writable layer over directories of the host: overlayfs with both its directories in the scratch tmpfs.</summary>
internal static class OverlaySteps
{
    // fsconfig(2) takes strings of up to 255 bytes; ':' separates lower directories and '\' escapes.
    private const int LongestValue = 255;

    // Where a layer that is kept is bound.
    private const string Kept = "layer";

    /// <param name="mounts">The plan.</param>
    /// <param name="name">Of the layer.</param>
    /// <param name="over">The directory that it lies over, or the topmost of them.</param>
    internal static void MakeLayer(MountWriter mounts, string name, string over)
    {
        if (mounts.Inputs.Spec.LayerDirectory is { } directory)
        {
            // The host has made both in it.
            Bind(mounts, directory, Kept, onError: null);
            return;
        }

        LayerTop top = mounts.Inputs.LayerTops.GetValueOrDefault(over, LayerTop.Usual);
        mounts.Writer.Call(mkdirat, mounts.Scratch, Upper(mounts, name), Operand.Octal((int)LayerTop.Usual.Mode));
        if ((top.User, top.Group) != (0, 0)) mounts.Writer.Call(fchownat, mounts.Scratch, Upper(mounts, name), top.User, top.Group, 0);
        if (top.Mode != LayerTop.Usual.Mode) mounts.Writer.Call(fchmodat, mounts.Scratch, Upper(mounts, name), Operand.Octal((int)top.Mode));
        mounts.Writer.Call(mkdirat, mounts.Scratch, Work(mounts, name), Operand.Octal(0x1C0));
    }

    /// <summary>The directory that takes what is written, from the scratch tmpfs.</summary>
    internal static string Upper(MountWriter mounts, string name) => mounts.Inputs.Spec.LayerDirectory is null ? name + ".upper" : $"{Kept}/{WritableDirectory.Upper}";

    /// <summary>The overlay, detached. The layer must be made, and the scratch tmpfs must be the current directory.</summary>
    /// <param name="mounts">The plan.</param>
    /// <param name="lowers">From the lowest to the topmost.</param>
    /// <param name="name">Of the layer.</param>
    /// <param name="onError">Takes a refusal of the kernel, if given.</param>
    internal static Slot Mount(MountWriter mounts, ImmutableArray<string> lowers, string name, Label? onError)
    {
        // In a user namespace trusted.* attributes are out of reach: user.overlay.* instead (Linux 5.11).
        bool inUser = !mounts.Inputs.Spec.Namespaces.IsHost(NamespaceKind.User);
        List<(string Key, string Value)> options = [];
        if (mounts.Inputs.Host.HasLowerDirAppend && lowers.Length > 1)
        {
            // The topmost first (overlayfs.rst, Linux 6.5).
            for (int i = lowers.Length - 1; i >= 0; i--) options.Add(("lowerdir+", Plain(mounts, lowers[i], $"{name}.lower{i}", onError)));
        }
        else
        {
            string joined = lowers is [string one] ? Plain(mounts, one, name + ".lower", onError) : Joined(mounts, lowers, onError);
            if (joined.Length > LongestValue) return MountWithPage(mounts, joined, name, inUser, onError);
            options.Add(("lowerdir", joined));
        }

        options.AddRange([("upperdir", Upper(mounts, name)), ("workdir", Work(mounts, name))]);
        if (inUser) options.Add(("userxattr", ""));
        return mounts.NewFilesystem("overlay", MountAttributes.NoDevices, [.. options], onError);
    }

    /// <summary>Attaches a mount in the scratch tmpfs, which is made the current directory, so that it has a short path.</summary>
    internal static string Place(MountWriter mounts, Slot mount, string alias, Label? onError = null)
    {
        mounts.Writer.Call(mkdirat, mounts.Scratch, alias, Operand.Octal(0x1C0));
        LaunchStep attach = mounts.AttachBelow(mount, mounts.Scratch, alias);
        if (onError is not null) attach.OnErrorGo(onError);
        return alias;
    }

    /// <summary>The upper directory, sent to the host: what the container writes is found there, also when it has ended.</summary>
    internal static void Expose(MountWriter mounts, string name)
    {
        DescriptorMessage message = new(DescriptorMessage.LayerSize);
        mounts.Writer.For("hand the writable layer over to the host");
        int flags = O_RDONLY | O_CLOEXEC | mounts.Inputs.Host.Abi.O_DIRECTORY;
        message.Take(mounts.Writer.Call(openat, mounts.Scratch, Upper(mounts, name), Operand.Named(flags, "O_RDONLY|O_CLOEXEC|O_DIRECTORY")));
        message.Send(mounts.Writer);
    }

    private static string Work(MountWriter mounts, string name) => mounts.Inputs.Spec.LayerDirectory is null ? name + ".work" : $"{Kept}/{WritableDirectory.Work}";

    /// <summary>A path that overlayfs would misread is bound to a name in the scratch tmpfs first.</summary>
    private static string Plain(MountWriter mounts, string lower, string alias, Label? onError) =>
        Encoding.UTF8.GetByteCount(lower) > LongestValue || lower.AsSpan().ContainsAny(':', '\\', ',') ? Bind(mounts, lower, alias, onError) : lower;

    /// <summary>Each is bound to a number in the scratch tmpfs: short, so that many fit.</summary>
    private static string Joined(MountWriter mounts, ImmutableArray<string> lowers, Label? onError)
    {
        string[] names = [.. lowers.Select((lower, i) => Bind(mounts, lower, MountWriter.Number(i), onError))];
        return string.Join(':', names.Reverse());
    }

    private static string Bind(MountWriter mounts, string lower, string alias, Label? onError)
    {
        return Place(mounts, mounts.CloneOfHost(lower, recursive: false), alias, onError);
    }

    /// <summary>By mount(2), which takes a page of options (Linux before 6.5); what was mounted is copied off its place.</summary>
    private static Slot MountWithPage(MountWriter mounts, string lowers, string name, bool inUser, Label? onError)
    {
        string place = name + ".mount";
        mounts.Writer.Call(mkdirat, mounts.Scratch, place, Operand.Octal(0x1C0));
        string options = $"lowerdir={lowers},upperdir={Upper(mounts, name)},workdir={Work(mounts, name)}{(inUser ? ",userxattr" : "")}{(mounts.Inputs.Labels?.Mounts is { } label ? $",context=\"{label}\"" : "")}";
        LaunchStep step = mounts.Writer.Call(mount, "overlay", place, "overlay", Operand.Named(MountAttributes.NoDevices.MountFlags, MountAttributes.NoDevices.ToString()), options);
        if (onError is not null) step.OnErrorGo(onError);
        return mounts.CloneOfScratch(place);
    }
}
