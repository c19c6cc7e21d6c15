using Isolation.Linux;

namespace Isolation;

/// <summary>A program in the namespaces of a process that is there, whoever made it.</summary>
internal static class OciJoin
{
    /// <summary>Those of its namespaces that are other than this process's.</summary>
    internal static ContainerSpec Of(int processId)
    {
        NamespaceSource source = NamespaceSource.OfProcess(processId);
        NamespaceSet namespaces = new();
        for (NamespaceKind kind = NamespaceKind.User; kind <= NamespaceKind.Time; kind++)
        {
            string name = NamespaceDescriptors.FileName(kind);
            string? its = new FileInfo(FormattableString.Invariant($"/proc/{processId}/ns/{name}")).LinkTarget, own = new FileInfo($"/proc/self/ns/{name}").LinkTarget;
            namespaces = namespaces.With(kind, its is null || its == own ? NamespaceSource.Host : source);
        }

        return new ContainerSpec { Namespaces = namespaces, IsUnrecorded = true, Unfiltered = true, Layout = new(), Capabilities = CapabilitySet.All, User = UserSpec.Parse("0:0"), Groups = [] };
    }
}
