namespace Isolation.Cgroups;

/// <summary>Which control groups a machine has mounted.</summary>
public enum CgroupMode
{
    /// <summary>None.</summary>
    None,

    /// <summary>Hierarchies of v1 only.</summary>
    V1,

    /// <summary>The hierarchy of v2 only.</summary>
    V2,

    /// <summary>Both: each controller is in one of them.</summary>
    Hybrid,
}
