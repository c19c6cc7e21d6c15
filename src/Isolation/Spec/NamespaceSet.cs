namespace Isolation;

/// <summary>One source a kind of namespace. Every one is new unless said otherwise.</summary>
internal sealed record NamespaceSet
{
    internal NamespaceSource User { get; init; } = NamespaceSource.New;
    internal NamespaceSource Pid { get; init; } = NamespaceSource.New;
    internal NamespaceSource Network { get; init; } = NamespaceSource.New;
    internal NamespaceSource Ipc { get; init; } = NamespaceSource.New;
    internal NamespaceSource Mount { get; init; } = NamespaceSource.New;
    internal NamespaceSource Uts { get; init; } = NamespaceSource.New;
    internal NamespaceSource Cgroup { get; init; } = NamespaceSource.New;
    internal NamespaceSource Time { get; init; } = NamespaceSource.New;

    internal NamespaceSource this[NamespaceKind kind] => kind switch
    {
        NamespaceKind.User => User,
        NamespaceKind.Pid => Pid,
        NamespaceKind.Network => Network,
        NamespaceKind.Ipc => Ipc,
        NamespaceKind.Mount => Mount,
        NamespaceKind.Uts => Uts,
        NamespaceKind.Cgroup => Cgroup,
        _ => Time,
    };

    internal NamespaceSet With(NamespaceKind kind, NamespaceSource source) => kind switch
    {
        NamespaceKind.User => this with { User = source },
        NamespaceKind.Pid => this with { Pid = source },
        NamespaceKind.Network => this with { Network = source },
        NamespaceKind.Ipc => this with { Ipc = source },
        NamespaceKind.Mount => this with { Mount = source },
        NamespaceKind.Uts => this with { Uts = source },
        NamespaceKind.Cgroup => this with { Cgroup = source },
        _ => this with { Time = source },
    };

    internal bool IsNew(NamespaceKind kind) => ReferenceEquals(this[kind], NamespaceSource.New);

    internal bool IsHost(NamespaceKind kind) => ReferenceEquals(this[kind], NamespaceSource.Host);

    internal bool IsJoined(NamespaceKind kind) => this[kind].IsJoined;
}
