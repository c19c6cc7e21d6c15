namespace Isolation.Cgroups;

/// <summary>Lists of <see cref="DeviceRule"/>.</summary>
public static class DeviceRules
{
    /// <summary>
    /// What every container gets: the devices that the OCI runtime specification has in each of them (config-linux.md,
    /// "Default Devices"), pseudo-terminals, and mknod of any device. A device so made still cannot be opened.
    /// Append your own; the last rule about a use decides.
    /// </summary>
    /// <remarks>
    /// The list is runc's (libcontainer/specconv, <c>AllowedDevices</c>) without <c>c 10:200</c>, /dev/net/tun. The
    /// specification's /dev/console is a pseudo-terminal of the container, so that the host's (<c>c 5:1</c>) is not here.
    /// </remarks>
    public static IReadOnlyList<DeviceRule> Default { get; } = Array.AsReadOnly(
    [
        DeviceRule.Allow("c *:* m"),
        DeviceRule.Allow("b *:* m"),
        DeviceRule.Allow("c 1:3 rwm"), // /dev/null
        DeviceRule.Allow("c 1:5 rwm"), // /dev/zero
        DeviceRule.Allow("c 1:7 rwm"), // /dev/full
        DeviceRule.Allow("c 1:8 rwm"), // /dev/random
        DeviceRule.Allow("c 1:9 rwm"), // /dev/urandom
        DeviceRule.Allow("c 5:0 rwm"), // /dev/tty
        DeviceRule.Allow("c 5:2 rwm"), // /dev/ptmx
        DeviceRule.Allow("c 136:* rwm"), // /dev/pts/…
    ]);

    /// <summary>Whether the rules allow a use; of a use that is several, each must be allowed.</summary>
    /// <remarks>A use of nothing, such as access(2) with X_OK, is allowed where a rule allows the device anything, as the kernel has it.</remarks>
    internal static bool Allow(IReadOnlyList<DeviceRule> rules, DeviceType type, int major, int minor, DeviceAccess access)
    {
        DeviceAccess undecided = access;
        for (int i = rules.Count - 1; i >= 0; i--)
        {
            DeviceRule rule = rules[i];
            if (rule.IsAboutEverything) return rule.Allows;
            if (rule.Type != DeviceType.All && rule.Type != type) continue;
            if (rule.Major is { } ruleMajor && ruleMajor != major) continue;
            if (rule.Minor is { } ruleMinor && ruleMinor != minor) continue;
            if (rule.Allows)
            {
                undecided &= ~rule.Access;
                if (undecided == DeviceAccess.None) return true;
            }
            else if ((undecided & rule.Access) != 0)
            {
                return false;
            }
        }
        return false;
    }
}
