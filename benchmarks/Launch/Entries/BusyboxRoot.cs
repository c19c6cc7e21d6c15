namespace Isolation.Benchmarks;

/// <summary>
/// A root directory in a temporary place that holds busybox as <c>/bin/true</c> and the mount points a container wants,
/// so that no launch has to make any.
/// </summary>
internal sealed class BusyboxRoot : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("isolation-benchmark-");

    /// <exception cref="FileNotFoundException">There is no busybox.</exception>
    internal BusyboxRoot()
    {
        try
        {
            string busybox = Tools.Find("busybox") ?? throw new FileNotFoundException("busybox is not in PATH: install busybox-static.");
            foreach (string name in (ReadOnlySpan<string>)["bin", "proc", "sys", "dev", "tmp", "run", "etc"])
                Directory.CreateDirectory(System.IO.Path.Join(Path, name));
            File.Copy(busybox, Program);
            foreach (string name in (ReadOnlySpan<string>)["hosts", "hostname", "resolv.conf"])
                File.WriteAllText(System.IO.Path.Join(Path, "etc", name), "");
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    internal string Path => System.IO.Path.Join(_directory.FullName, "root");

    /// <summary>A directory beside the root for what a peer needs.</summary>
    internal string Scratch(string name) => Directory.CreateDirectory(System.IO.Path.Join(_directory.FullName, name)).FullName;

    /// <summary>The program as the host names it.</summary>
    internal string Program => System.IO.Path.Join(Path, "bin/true");

    /// <summary>Has another of busybox's programs beside /bin/true.</summary>
    internal void Link(string name) => File.CreateSymbolicLink(System.IO.Path.Join(Path, "bin", name), "true");

    public void Dispose() => _directory.Delete(recursive: true);
}
