namespace Isolation.Live.Tests;

/// <summary>Users other than root in a container.</summary>
internal static class SubordinateRange
{
    /// <summary>Makes users other than root possible: an unprivileged caller needs subordinate ids for them.</summary>
    internal static void Use(ContainerBuilder builder)
    {
        if (Lane.IsRoot) return;
        bool has = File.Exists("/etc/subuid") && File.ReadLines("/etc/subuid").Any(line => line.StartsWith(Environment.UserName + ":", StringComparison.Ordinal));
        Assert.SkipUnless(has, "the user has no subordinate ids");
        builder.WithSubordinateIds();
    }
}
