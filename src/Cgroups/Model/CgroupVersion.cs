namespace Isolation.Cgroups;

/// <summary>Which of the kernel's two interfaces (cgroups(7)).</summary>
public enum CgroupVersion
{
    /// <summary>One hierarchy for each controller, or for a few of them.</summary>
    V1 = 1,

    /// <summary>One hierarchy for all controllers (Linux 4.5).</summary>
    V2 = 2,
}
