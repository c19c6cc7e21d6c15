namespace Isolation.Live.Tests;

/// <summary>A small root file system of busybox's programs, in a directory of the host.</summary>
internal sealed class TestRoot : IDisposable
{
    private const string Busybox = "/bin/busybox";
    private static readonly string[] Programs =
        ["sh", "cat", "echo", "ls", "id", "stat", "touch", "mkdir", "rm", "ln", "readlink", "true", "false", "sleep", "head", "wc",
         "chown", "chmod", "test", "mount", "grep", "cut", "sort", "env", "pwd", "hostname", "dd", "mv", "cp", "find", "nc", "ps"];

    private readonly TemporaryDirectory _directory;

    /// <param name="mountPoints">Whether the places are there upon which every container mounts something.</param>
    /// <param name="parent">Where it is; in the temporary directory where it is null.</param>
    internal TestRoot(bool mountPoints = true, string? parent = null)
    {
        Assert.SkipUnless(File.Exists(Busybox), "there is no /bin/busybox: install busybox-static");
        _directory = new(parent);
        _directory.MakeDirectory("bin");
        File.Copy(Busybox, this["bin/busybox"]);
        foreach (string program in Programs) File.CreateSymbolicLink(this["bin/" + program], "busybox");
        if (!mountPoints) return;
        foreach (string name in (string[])["proc", "sys", "dev", "tmp", "run", "etc", "data"]) _directory.MakeDirectory(name);
        foreach (string name in (string[])["etc/hosts", "etc/hostname", "etc/resolv.conf"]) _directory.Write(name, $"lower {name}\n");
    }

    internal string Path => _directory.Path;

    internal string this[string name] => _directory[name];

    internal string Write(string name, string text) => _directory.Write(name, text);

    internal string MakeDirectory(string name) => _directory.MakeDirectory(name);

    internal ContainerBuilder Container(RootAccess access, params string[] command) =>
        new ContainerBuilder().FromDirectory(Path, access).WithCommand(command);

    internal ContainerBuilder Shell(string script, RootAccess access = RootAccess.ReadOnly) => Container(access, "sh", "-c", script);

    public void Dispose() => _directory.Dispose();
}
