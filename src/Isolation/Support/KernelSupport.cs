
namespace Isolation;

/// <summary>What the kernel itself has, and what comes with the distribution.</summary>
internal static class KernelSupport
{
    private static readonly Version Floor = new(5, 10);

    internal static SupportEntry Release()
    {
        Version version = Environment.OSVersion.Version;
        return new("kernel", version >= Floor, $"Linux {version.ToString(3)}; the oldest that is supported is {Floor}", version >= Floor ? null : "use a newer kernel");
    }

    internal static IEnumerable<SupportEntry> Calls()
    {
        HostFacts facts = HostFactsReader.Current;
        yield return Call("openat2", facts.HasOpenAt2, "5.6", "mount targets are opened link by link, and a root with symbolic links in their way is refused");
        yield return Call("mount_setattr", facts.HasMountSetAttr, "5.12", "mounts are made read-only one by one");
        yield return new("landlock", facts.LandlockVersion > 0, facts.LandlockVersion > 0 ? $"version {facts.LandlockVersion}" : "the kernel has none, or is not booted with it", facts.LandlockVersion > 0 ? null : "use Linux 5.13 or later with CONFIG_SECURITY_LANDLOCK, and name landlock in lsm= of its command line");
        yield return Call("close_range with CLOEXEC", facts.HasCloseRangeCloexec, "5.11", "descriptors are marked one by one");
    }

    internal static SupportEntry SubordinateIds()
    {
        HostFacts facts = HostFactsReader.Current;
        const string Feature = "subordinate ids";
        bool tools = facts.Has(Capability.Setuid) || InPath("newuidmap");
        if (!tools) return new(Feature, false, "newuidmap is not in PATH", "install it (Debian: uidmap; Fedora: shadow-utils)");
        try
        {
            Isolation.SubordinateIds.Map(facts);
            return new(Feature, true, $"ranges of {Environment.UserName} in /etc/subuid and /etc/subgid", null);
        }
        catch (ContainerException exception)
        {
            return new(Feature, false, exception.Problem, exception.Remedy);
        }
    }

    private static SupportEntry Call(string name, bool has, string since, string otherwise) =>
        new(name, has, has ? "the call answers" : $"Linux {since} has it, or a filter forbids it here; {otherwise}", has ? null : "use a newer kernel, or let the filter pass it");

    private static bool InPath(string tool) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(directory => File.Exists(Path.Join(directory, tool)));
}
