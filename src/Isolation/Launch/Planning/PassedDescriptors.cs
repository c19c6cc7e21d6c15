namespace Isolation.Launch;

/// <summary>
/// Which descriptors the interpreter finds where: standard streams, the channel to the host, then the namespaces to
/// join, one each in the order of their kinds. The launcher puts them there; the planner counts on it.
/// </summary>
internal static class PassedDescriptors
{
    internal const int Channel = 3;
    internal const int FirstNamespace = 4;

    /// <summary>The kinds that are joined, in the order in which their descriptors stand.</summary>
    internal static List<NamespaceKind> JoinedKinds(NamespaceSet namespaces)
    {
        List<NamespaceKind> kinds = [];
        for (NamespaceKind kind = NamespaceKind.User; kind <= NamespaceKind.Time; kind++)
            if (namespaces.IsJoined(kind)) kinds.Add(kind);
        return kinds;
    }

    internal static int Count(NamespaceSet namespaces) => FirstNamespace + JoinedKinds(namespaces).Count;
}
