using System.Diagnostics;
using Isolation.Linux;

namespace Isolation;

/// <summary>What of a container's root lies on disk. A FUSE mount in it ends by itself when its host has: that is waited for.</summary>
internal sealed class DirectoryRemover : IResourceRemover
{
    private const string Name = "directory", PathKey = "path";

    public string Kind => Name;

    internal static RecordedResource Resource(string path) => new() { Kind = Name, Parameters = new Dictionary<string, string> { [PathKey] = path } };

    /// <summary>A record that somebody has changed must not make anybody remove what is not ours.</summary>
    public bool IsValid(RecordedResource resource) => resource.Parameters.TryGetValue(PathKey, out string? path) && LaunchDirectory.IsPath(path);

    // It lies on disk, so it is there after a restart of the machine too.
    public IRemoval? Begin(RecordedResource resource, bool sameBoot) => new Removal(resource.Parameters[PathKey]);

    private sealed class Removal(string path) : IRemoval
    {
        public string? Finish(TimeSpan limit)
        {
            for (long start = Stopwatch.GetTimestamp(); ;)
            {
                try
                {
                    LaunchDirectory.Remove(path);
                    return null;
                }
                catch (LinuxException exception)
                {
                    // EBUSY and ENOTCONN: a mount in it, of which the program has ended or is about to.
                    if (exception.Errno is not (Errno.EBUSY or Errno.ENOTCONN or Errno.ECONNABORTED) || Stopwatch.GetElapsedTime(start) > limit) return exception.Message;
                }

                Thread.Sleep(20);
            }
        }

        public void Dispose()
        {
        }
    }
}
