namespace Isolation.Benchmarks;

/// <summary>The containers that are measured.</summary>
internal static class Specs
{
    /// <summary>No namespace, no mount: what the engine itself costs.</summary>
    internal static ContainerBuilder Bare(BusyboxRoot root)
    {
        ContainerBuilder builder = new ContainerBuilder().WithCommand(root.Program);
        foreach (NamespaceKind kind in Enum.GetValues<NamespaceKind>()) builder.WithNamespace(kind, NamespaceSource.Host);
        return builder;
    }

    /// <summary>
    /// What the peers are compared with: all namespaces but user and time, private /proc, /dev, /sys, /tmp and /run, and
    /// pivot_root.
    /// </summary>
    internal static ContainerBuilder Headline(BusyboxRoot root) =>
        Default(root).WithUserNs(NamespaceSource.Host).WithTimeNs(NamespaceSource.Host).WithoutSeccomp(); // the peers' bundles have none

    /// <summary>All eight namespaces.</summary>
    internal static ContainerBuilder Default(BusyboxRoot root) => new ContainerBuilder().FromDirectory(root.Path).WithCommand("/bin/true");

    /// <summary>All eight namespaces over the host's files.</summary>
    internal static ContainerBuilder Host() => new ContainerBuilder().FromHost().WithCommand("/bin/true");

    internal static Func<Task> Run(ContainerBuilder builder)
    {
        ContainerSpec spec = builder.Build();
        return () => RunAsync(spec);
    }

    /// <summary>The same, and blocks the calling thread for it.</summary>
    internal static Func<Task> RunBlocking(ContainerBuilder builder)
    {
        ContainerSpec spec = builder.Build();
        return () =>
        {
            RunAsync(spec).GetAwaiter().GetResult();
            return Task.CompletedTask;
        };
    }

    /// <exception cref="InvalidOperationException">It did not end with 0.</exception>
    internal static async Task RunAsync(ContainerSpec spec)
    {
        ContainerResult result = await spec.RunAsync();
        if (result.ExitCode != 0) throw new InvalidOperationException($"{result}: {result.StandardError}");
    }
}
