namespace Isolation.Live.Tests;

/// <summary>What a test may expect of the user it runs as.</summary>
internal static class Lane
{
    internal static bool IsRoot => Environment.IsPrivilegedProcess;

    internal static void RequiresRoot(string why) => Assert.SkipUnless(IsRoot, $"root lane only: {why}");

    internal static void RequiresUnprivileged(string why) => Assert.SkipWhen(IsRoot, $"unprivileged lane only: {why}");
}
