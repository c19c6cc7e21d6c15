namespace Isolation;

/// <summary>A program in a container as a spec of its own: it joins every namespace that is not the host's.</summary>
internal static class ExecSpec
{
    internal static ContainerSpec In(Container container)
    {
        ContainerSpec spec = container.Launch.Spec;
        NamespaceSource source = NamespaceSource.Of(container);
        NamespaceSet namespaces = new();
        for (NamespaceKind kind = NamespaceKind.User; kind <= NamespaceKind.Time; kind++)
        {
            bool lacking = (kind == NamespaceKind.Time && !HostFactsReader.Current.HasTimeNamespaces) || (kind == NamespaceKind.Cgroup && !HostFactsReader.Current.HasCgroupNamespaces);
            namespaces = namespaces.With(kind, spec.Namespaces.IsHost(kind) || lacking ? NamespaceSource.Host : source);
        }

        return new ContainerSpec
        {
            Namespaces = namespaces,
            Environment = spec.Environment,
            WorkingDirectory = spec.WorkingDirectory,
            User = spec.User,
            Umask = spec.Umask,
            Capabilities = spec.Capabilities,
            AmbientCapabilities = spec.AmbientCapabilities,
            NoNewPrivileges = spec.NoNewPrivileges,
            Seccomp = spec.Seccomp ?? (spec.Nesting ? SeccompPolicy.Nesting : null),
            Interception = spec.Interception,
            Unfiltered = spec.Unfiltered,
            AppArmor = spec.AppArmor,
            Selinux = spec.Selinux,
            Landlock = spec.Landlock,
            StopSignal = spec.StopSignal,
            Logger = spec.Logger,
            Host = spec.Host,
            EntersContainer = container,
        };
    }
}
