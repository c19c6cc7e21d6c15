using System.Collections.Immutable;

namespace Isolation;

/// <summary>
/// Which of the places that every container mounts upon a root directory lacks. They lie in the directory itself and in
/// its <c>etc</c>, so the answer of one spec holds while neither has changed; layers of an image never do. Safe from any thread.
/// </summary>
internal sealed class StandardTargets
{
    private volatile Answer? _last;

    /// <param name="spec">Whose.</param>
    /// <param name="root">The directory; null for layers.</param>
    /// <param name="look">Finds out.</param>
    internal ImmutableHashSet<string> Missing(ContainerSpec spec, string? root, Func<ImmutableHashSet<string>> look)
    {
        DateTime changed = root is null ? default : Directory.GetLastWriteTimeUtc(root), etcChanged = root is null ? default : Directory.GetLastWriteTimeUtc(Path.Join(root, "etc"));
        if (_last is { } last && ReferenceEquals(last.Spec, spec) && last.Changed == changed && last.EtcChanged == etcChanged) return last.Targets;
        ImmutableHashSet<string> targets = look();
        _last = new(spec, changed, etcChanged, targets);
        return targets;
    }

    private sealed record Answer(ContainerSpec Spec, DateTime Changed, DateTime EtcChanged, ImmutableHashSet<string> Targets);
}
