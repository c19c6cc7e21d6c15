namespace Isolation;

/// <summary>What each version of the kernel's interface can refuse (landlock(7), "Compatibility").</summary>
internal static class LandlockAbi
{
    private const LandlockAccess First = (LandlockAccess)((1 << 13) - 1); // Linux 5.13

    /// <summary>The rights that can be refused.</summary>
    internal static LandlockAccess AccessOf(int version) => version switch
    {
        <= 0 => 0,
        1 => First,
        2 => First | LandlockAccess.Refer,
        3 or 4 => First | LandlockAccess.Refer | LandlockAccess.Truncate,
        _ => LandlockAccess.All,
    };

    internal static bool HasNetwork(int version) => version >= 4;

    internal static bool HasScopes(int version) => version >= 6;

    /// <summary>What a policy asks for and a version lacks, in words; empty where it lacks nothing.</summary>
    internal static string LackingOf(LandlockPolicy policy, int version)
    {
        List<string> lacking = [];
        if ((policy.Refused & ~AccessOf(version)) is var access && access != 0) lacking.Add(version <= 0 ? "files" : $"{access}");
        if ((policy.BindPorts ?? policy.ConnectPorts) is not null && !HasNetwork(version)) lacking.Add("ports");
        if (policy.Scopes != 0 && !HasScopes(version)) lacking.Add($"the scopes {policy.Scopes}");
        return string.Join(", ", lacking);
    }
}
