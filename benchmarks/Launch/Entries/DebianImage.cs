using System.Globalization;

namespace Isolation.Benchmarks;

/// <summary>
/// Debian in three layers, made by <c>benchmarks/debian.sh</c> and kept in <c>benchmarks/.cache</c>; and a file system to unpack it on: ext4
/// with a journal, as most machines have, in a file. The machine's own may have none, and is then slow to make files where others were
/// just removed. Unmounted on disposal.
/// </summary>
internal sealed class DebianImage : IAsyncDisposable
{
    internal const string Name = "localhost/isolation/debian:1";

    private readonly DirectoryInfo _scratch;

    private DebianImage(string cache, DirectoryInfo scratch) => (Cache, _scratch) = (cache, scratch);

    internal string Cache { get; }

    /// <summary>As docker-save(1) writes it, the layers with gzip.</summary>
    internal string Archive => Path.Join(Cache, "image.tar");

    /// <summary>From the lowest on, with gzip.</summary>
    internal string[] Layers => [.. Enumerable.Range(1, 3).Select(layer => Path.Join(Cache, string.Create(CultureInfo.InvariantCulture, $"layer-{layer}.tar.gz")))];

    /// <summary>On the file system of its own.</summary>
    internal string Disk => Path.Join(_scratch.FullName, "disk");

    /// <exception cref="InvalidOperationException">It cannot be made.</exception>
    internal static async Task<DebianImage> OpenAsync()
    {
        string benchmarks = Path.Join(Machine.RepositoryRoot, "benchmarks"), cache = Path.Join(benchmarks, ".cache/debian");
        await Tools.RunCapturedAsync(Path.Join(benchmarks, "debian.sh"), cache);
        DebianImage image = new(cache, Directory.CreateTempSubdirectory("isolation-bench-"));
        string file = Path.Join(image._scratch.FullName, "disk.img");
        Directory.CreateDirectory(image.Disk);
        try
        {
            await Tools.RunCapturedAsync("fallocate", "-l", "12G", file);
            await Tools.RunCapturedAsync("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", file);
            await Tools.RunCapturedAsync("mount", "-o", "loop", file, image.Disk);
            return image;
        }
        catch
        {
            image._scratch.Delete(recursive: true);
            throw;
        }
    }

    internal string Scratch(string name) => Directory.CreateDirectory(Path.Join(Disk, name)).FullName;

    /// <summary>An entry before which what it has made is removed, and the disk is at rest.</summary>
    internal Entry Cleaned(string name, string directory, Func<Task> run) => new(name, run) { Before = () => CleanAsync(directory) };

    internal async Task CleanAsync(string? directory)
    {
        if (directory is not null)
        {
            await Tools.RunCapturedAsync("rm", "-rf", directory);
            Directory.CreateDirectory(directory);
        }

        await Tools.RunCapturedAsync("sync", "-f", Disk);
    }

    public async ValueTask DisposeAsync()
    {
        await Tools.RunCapturedAsync("umount", "--lazy", "-R", Disk); // a lease on the store is held until nobody has the image
        _scratch.Delete(recursive: true);
    }
}
