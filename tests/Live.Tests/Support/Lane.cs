namespace Isolation.Live.Tests;

/// <summary>What a test may expect of the user it runs as.</summary>
internal static class Lane
{
    /// <summary>Where the virtual machine has a file system of disks; null for the temporary directory, which there is a tmpfs.</summary>
    internal static string? Disk => Environment.GetEnvironmentVariable("ISOLATION_TEST_KERNEL") is not null && Directory.Exists("/run/ext4") ? "/run/ext4" : null;

    internal static bool IsRoot => Environment.IsPrivilegedProcess;

    internal static void RequiresRoot(string why) => Assert.SkipUnless(IsRoot, $"root lane only: {why}");

    internal static void RequiresUnprivileged(string why) => Assert.SkipWhen(IsRoot, $"unprivileged lane only: {why}");
}
