using Isolation.Linux;

namespace Isolation;

/// <summary>A program in the namespaces of a process that is there, whoever made it.</summary>
internal static class OciJoin
{
    /// <summary>In the namespaces of this process.</summary>
    internal static ContainerSpec None { get; } = Make(static _ => NamespaceSource.Host);

    /// <summary>Those of a process's namespaces that are other than this process's.</summary>
    /// <param name="processId">Whose.</param>
    /// <param name="startTime">Of which process of that number; null for the one that has it now.</param>
    /// <exception cref="ContainerException">It has ended, or nobody may look at its namespaces.</exception>
    internal static ContainerSpec Of(int processId, ulong? startTime = null)
    {
        NamespaceSource source = NamespaceSource.OfProcess(processId, startTime ?? ProcessStartTime.Read(processId) ?? throw Unseen(processId));
        return Make(kind =>
        {
            string name = NamespaceDescriptors.FileName(kind);
            string? its = new FileInfo(FormattableString.Invariant($"/proc/{processId}/ns/{name}")).LinkTarget, own = new FileInfo($"/proc/self/ns/{name}").LinkTarget;
            if (own is null) return NamespaceSource.Host; // this kernel has none of the kind

            // One that cannot be seen is not taken for one's own: the program would run on the host.
            return its is null ? throw Unseen(processId) : its == own ? NamespaceSource.Host : source;
        }) with { User = UserSpec.Parse("0:0"), Groups = [] };
    }

    private static ContainerException Unseen(int processId) =>
        new(ContainerErrorReason.NamespaceNotFound, $"The namespaces of process {processId} cannot be seen: it has ended, or is another user's", null, null);

    private static ContainerSpec Make(Func<NamespaceKind, NamespaceSource> choose)
    {
        NamespaceSet namespaces = new();
        for (NamespaceKind kind = NamespaceKind.User; kind <= NamespaceKind.Time; kind++) namespaces = namespaces.With(kind, choose(kind));
        return new() { Namespaces = namespaces, IsUnrecorded = true, Unfiltered = true, Layout = new(), Capabilities = CapabilitySet.All };
    }
}
