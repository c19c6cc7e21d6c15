namespace Isolation.Launch;

/// <summary>Namespaces of one owner that are joined together, through one descriptor.</summary>
/// <param name="Source">Whose: a process (a pidfd is passed), or a path (the namespace itself is).</param>
/// <param name="Kinds">Which, in the order of their numbers.</param>
internal sealed record JoinedNamespaces(NamespaceSource Source, List<NamespaceKind> Kinds);

/// <summary>
/// Which descriptors the interpreter finds where: standard streams, the caller's own at the numbers asked for, the
/// channel to the host above them, then one for each owner of namespaces to join and for each control group. The
/// launcher puts them there; the planner counts on it.
/// </summary>
internal sealed class PassedDescriptors
{
    private readonly bool _init, _root;
    private readonly int _binds;
    private readonly bool _gate;

    internal PassedDescriptors(PlanInputs inputs)
    {
        ContainerSpec spec = inputs.Spec;
        _root = inputs.Way?.Place == RootPlace.Detached;
        _binds = inputs.MappedBinds.Length;
        _gate = spec.HasGate;
        Channel = spec.ServesFiles ? FileAgentSteps.Socket + 1 : spec.Descriptors.IsEmpty ? 3 : Math.Max(3, spec.Descriptors.Keys.Max() + 1);
        Joined = JoinedOf(spec.Namespaces);
        _init = spec.Init;
        Groups = ContainerGroup.HierarchiesOf(spec);
    }

    internal int Channel { get; }

    internal List<JoinedNamespaces> Joined { get; }

    internal int FirstNamespace => Channel + 1;

    /// <summary>How many control groups there are to enter, one in each hierarchy.</summary>
    internal int Groups { get; }

    internal int FirstGroup => FirstNamespace + Joined.Count;

    /// <summary>Where an init writes the program's wait status; only with an init.</summary>
    internal int ExitStatus => FirstGroup + Groups;

    /// <summary>The root that the host has mounted; only with one at no path.</summary>
    internal int Root => ExitStatus + (_init ? 1 : 0);

    /// <summary>The first of the binds that the host has mounted, one for each that is seen through the identity map.</summary>
    internal int FirstBind => Root + (_root ? 1 : 0);

    /// <summary>The FIFO that the word to start comes from; only where the program waits for one.</summary>
    internal int Gate => FirstBind + _binds;

    /// <summary>One above the last.</summary>
    internal int Count => Gate + (_gate ? 1 : 0);

    internal int DescriptorOf(NamespaceKind kind) => FirstNamespace + Joined.FindIndex(joined => joined.Kinds.Contains(kind));

    private static List<JoinedNamespaces> JoinedOf(NamespaceSet namespaces)
    {
        List<JoinedNamespaces> joined = [];
        for (NamespaceKind kind = NamespaceKind.User; kind <= NamespaceKind.Time; kind++)
        {
            NamespaceSource source = namespaces[kind];
            if (!source.IsJoined) continue;
            if (joined.Find(other => other.Source.HasSameOwner(source)) is { } together) together.Kinds.Add(kind);
            else joined.Add(new(source, [kind]));
        }

        return joined;
    }
}
