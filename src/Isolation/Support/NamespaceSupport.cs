namespace Isolation;

/// <summary>Makes each kind of namespace once, and what stands on them.</summary>
internal static class NamespaceSupport
{
    internal static async Task<IReadOnlyList<SupportEntry>> ProbeAsync(CancellationToken cancellationToken)
    {
        List<Task<SupportEntry>> attempts = [];
        for (NamespaceKind kind = NamespaceKind.User; kind <= NamespaceKind.Time; kind++) attempts.Add(Namespace(kind, cancellationToken));
        attempts.Add(Attempt("containers", Probing(new NamespaceSet()) with { Root = new HostRoot() }, "a container with all defaults was started", cancellationToken));
        attempts.Add(Fallback("private /proc", "/proc", cancellationToken));
        attempts.Add(Fallback("private layer over the host's files", "/usr", cancellationToken));
        attempts.Add(Union(cancellationToken));
        return await Task.WhenAll(attempts).ConfigureAwait(false);
    }

    private static Task<SupportEntry> Namespace(NamespaceKind kind, CancellationToken cancellationToken)
    {
        // All but the user namespace are tried inside a new one, which is how an unprivileged caller gets them.
        NamespaceSet alone = AllHost().With(NamespaceKind.User, NamespaceSource.New).With(kind, NamespaceSource.New);
        ContainerSpec spec = Probing(alone);
        if (kind == NamespaceKind.Mount) spec = spec with { Root = new HostRoot() };
        HostFacts facts = HostFactsReader.Current;
        if ((kind == NamespaceKind.Time && !facts.HasTimeNamespaces) || (kind == NamespaceKind.Cgroup && !facts.HasCgroupNamespaces))
            return Task.FromResult(new SupportEntry(Name(kind), false, "the kernel was built without it", "containers share the host's; use another kernel"));
        return Attempt(Name(kind), spec, "one was made", cancellationToken);
    }

    private static async Task<SupportEntry> Attempt(string feature, ContainerSpec spec, string success, CancellationToken cancellationToken)
    {
        try
        {
            ContainerResult result = await spec.RunAsync(cancellationToken).ConfigureAwait(false);
            return result.Succeeded ? new(feature, true, success, null) : new(feature, false, $"the child ended with {result}", null);
        }
        catch (ContainerException exception)
        {
            return new(feature, false, exception.Problem, exception.Remedy);
        }
    }

    /// <summary>Whether overlayfs unites the layers of a container, and who does where it does not.</summary>
    private static async Task<SupportEntry> Union(CancellationToken cancellationToken)
    {
        ContainerSpec spec = Probing(new NamespaceSet()) with { Root = new LayersRoot([AppContext.BaseDirectory], RootAccess.Layered) };
        SupportEntry entry = await Attempt(EnforcementReport.RootFeature, spec, "overlayfs, mounted in the container's user namespace", cancellationToken).ConfigureAwait(false);
        if (entry.IsAvailable || RootWays.Choose(spec with { IsProbe = false }) is not { Place: not RootPlace.Plan } way) return entry;
        return way.IsFallback
            ? new(entry.Feature, false, $"{way.Driver} stands in for overlayfs: {way.Reason}", "run as root, or use Linux 5.11 or later")
            : new(entry.Feature, true, way.Reason, null);
    }

    /// <summary>Something for which there is a fallback: it is there if a launch did not report one.</summary>
    private static async Task<SupportEntry> Fallback(string feature, string noted, CancellationToken cancellationToken)
    {
        try
        {
            Container container = await (Probing(new NamespaceSet()) with { Root = new HostRoot() }).StartAsync(cancellationToken).ConfigureAwait(false);
            await using (container.ConfigureAwait(false))
            {
                await container.WaitAsync(cancellationToken).ConfigureAwait(false);
                EnforcementEntry? entry = container.Enforcement.FirstOrDefault(entry => entry.Feature == noted);
                return entry is null ? new(feature, true, "one was made", null) : new(feature, false, entry.Detail, null);
            }
        }
        catch (ContainerException exception)
        {
            return new(feature, false, exception.Problem, exception.Remedy);
        }
    }

    private static ContainerSpec Probing(NamespaceSet namespaces) => new() { Namespaces = namespaces, IsProbe = true, Command = ["probe"] };

    private static NamespaceSet AllHost()
    {
        NamespaceSet set = new();
        for (NamespaceKind kind = NamespaceKind.User; kind <= NamespaceKind.Time; kind++) set = set.With(kind, NamespaceSource.Host);
        return set;
    }

    private static string Name(NamespaceKind kind) => kind.ToString().ToLowerInvariant() + " namespace";
}
