using Isolation.Linux;

namespace Isolation;

/// <summary>A program in the namespaces of a process that is there, whoever made it.</summary>
internal static class OciJoin
{
    /// <summary>In the namespaces of this process.</summary>
    internal static ContainerSpec None { get; } = Make(static _ => NamespaceSource.Host);

    /// <summary>Those of its namespaces that are other than this process's.</summary>
    /// <param name="processId">Whose.</param>
    internal static ContainerSpec Of(int processId)
    {
        NamespaceSource source = NamespaceSource.OfProcess(processId);
        return Make(kind =>
        {
            string name = NamespaceDescriptors.FileName(kind);
            string? its = new FileInfo(FormattableString.Invariant($"/proc/{processId}/ns/{name}")).LinkTarget, own = new FileInfo($"/proc/self/ns/{name}").LinkTarget;
            return its is null || its == own ? NamespaceSource.Host : source;
        }) with { User = UserSpec.Parse("0:0"), Groups = [] };
    }

    private static ContainerSpec Make(Func<NamespaceKind, NamespaceSource> choose)
    {
        NamespaceSet namespaces = new();
        for (NamespaceKind kind = NamespaceKind.User; kind <= NamespaceKind.Time; kind++) namespaces = namespaces.With(kind, choose(kind));
        return new() { Namespaces = namespaces, IsUnrecorded = true, Unfiltered = true, Layout = new(), Capabilities = CapabilitySet.All };
    }
}
