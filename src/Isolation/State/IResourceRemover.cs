namespace Isolation;

/// <summary>
/// Knows one kind of thing that records name, and how to remove what a dead host has left of it. Removing must be
/// possible again and again, since whoever removes may be killed at any point, and another begins anew.
/// </summary>
internal interface IResourceRemover
{
    string Kind { get; }

    /// <summary>Whether the parameters are those of such a thing.</summary>
    bool IsValid(RecordedResource resource);

    /// <summary>Begins to remove a thing; null where it is gone.</summary>
    /// <param name="resource">Valid.</param>
    /// <param name="sameBoot">Whether the machine has not been started anew since it was made.</param>
    /// <exception cref="Linux.LinuxException">It cannot be removed.</exception>
    /// <exception cref="Cgroups.CgroupException">It cannot be removed.</exception>
    IRemoval? Begin(RecordedResource resource, bool sameBoot);
}

/// <summary>A removal under way: many are begun before the first is waited for.</summary>
internal interface IRemoval : IDisposable
{
    /// <summary>Waits until the thing is gone.</summary>
    /// <returns>Null when it is; else what remains, in words.</returns>
    string? Finish(TimeSpan limit);
}
