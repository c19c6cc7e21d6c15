using System.Globalization;
using Isolation.Cgroups;
using Isolation.Linux;

namespace Isolation;

/// <summary>A control group, by its directory in each hierarchy: all that is in it is killed, and it is removed.</summary>
internal sealed class GroupRemover : IResourceRemover
{
    private const string Name = "cgroup";

    public string Kind => Name;

    internal static RecordedResource Resource(IReadOnlyList<string> directories) => new()
    {
        Kind = Name,
        Parameters = directories.Select((directory, index) => (directory, index)).ToDictionary(entry => entry.index.ToString(CultureInfo.InvariantCulture), entry => entry.directory),
    };

    /// <summary>A record that somebody has changed must not make anybody kill what is not ours.</summary>
    public bool IsValid(RecordedResource resource) => resource.Parameters.Count > 0
        && resource.Parameters.Values.All(path => (path.StartsWith('/') || PrivateHierarchy.IsPath(path)) && !path.Split('/').Contains("..") && ContainerGroup.IsName(Path.GetFileName(path)));

    public IRemoval? Begin(RecordedResource resource, bool sameBoot)
    {
        if (!sameBoot || Cgroup.Find([.. resource.Parameters.Values]) is not { } group) return null;
        try
        {
            group.Kill();
        }
        catch (LinuxException)
        {
            // Tried again below, which tells of it.
        }

        return new Removal(group);
    }

    private sealed class Removal(Cgroup group) : IRemoval
    {
        public string? Finish(TimeSpan limit)
        {
            try
            {
                // Whoever opens a state directory waits for it, and is on no thread that others need.
                return Task.Run(async () => await group.DisposeAsync().ConfigureAwait(false)).Wait(limit) ? null : $"the control group {group.Name} has processes that do not end";
            }
            catch (AggregateException exception) when (exception.InnerException is CgroupException failure)
            {
                return failure.Message;
            }
        }

        public void Dispose() => group.Close();
    }
}
