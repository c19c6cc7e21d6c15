using Isolation.Linux;
using Isolation.UnionFs;

namespace Isolation.Live.Tests;

/// <summary>Branches in a directory that is gone with the test, and ways to look at a union.</summary>
internal sealed class UnionBranchFiles : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateDirectory(Path.Join(Lane.Disk ?? Path.GetTempPath(), $"isolation-test-{Guid.NewGuid():N}"[..24]), (UnixFileMode)0x1ED);

    internal string this[string name] => Path.Join(_directory.FullName, name);

    internal string Make(string name) => Directory.CreateDirectory(this[name]).FullName;

    internal string Write(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(this[name])!);
        File.WriteAllText(this[name], text);
        return this[name];
    }

    internal void Whiteout(string name)
    {
        using FileDescriptor directory = FileDescriptor.Open(Path.GetDirectoryName(this[name])!, Abi.O_RDONLY);
        Syscall.Check(OverlayForm.MakeWhiteout(directory, FileName.Of(Path.GetFileName(name))), "mknod");
    }

    internal void Opaque(string name)
    {
        using FileDescriptor directory = FileDescriptor.Open(this[name], Abi.O_RDONLY);
        nint made = OverlayForm.MakeOpaque(directory);
        if (OverlayForm.IsOpaque(directory)) return; // to root, root's own spelling is enough
        Assert.SkipWhen(Syscall.Is(made, Errno.EOPNOTSUPP), "the file system of the branches keeps no attributes of users: tmpfs does from Linux 6.6 on");
        Syscall.Check(made, "setxattr");
    }

    /// <summary>Three branches: "bottom", "middle", "top", with something hidden at each step.</summary>
    internal UnionSpec Spec(bool isWritable = true)
    {
        Write("bottom/etc/passwd", "bottom");
        Write("bottom/etc/hosts", "bottom");
        Write("bottom/gone/file", "bottom");
        Write("bottom/opaque/hidden", "bottom");
        Write("bottom/lib/shared", new string('x', 10000));
        File.CreateSymbolicLink(this["bottom/link"], "etc/passwd");
        Write("middle/etc/hosts", "middle");
        Whiteout("middle/gone");
        Write("middle/opaque/seen", "middle");
        Opaque("middle/opaque");
        Write("top/etc/new", "top");
        Write("top/:odd,name\\", "top");
        File.SetUnixFileMode(this["top"], (UnixFileMode)0x1ED);
        return new UnionSpec { Lower = [this["bottom"], this["middle"], this["top"]], Writable = isWritable ? Make("writable") : null, Scratch = Make("scratch") };
    }

    internal static string At(UnionMount mount, string name) => mount.Path is { } path && !mount.IsDetached ? Path.Join(path, name) : $"/proc/self/fd/{mount.Root.Number}/{name}";

    internal static string[] Changes(IEnumerable<UnionChange> changes) => [.. changes.Select(change => change.ToString())];

    public void Dispose()
    {
        using FileDescriptor parent = FileDescriptor.Open(_directory.Parent!.FullName, Abi.O_RDONLY);
        TreeRemoval.Remove(parent, FileName.Of(_directory.Name));
    }
}
