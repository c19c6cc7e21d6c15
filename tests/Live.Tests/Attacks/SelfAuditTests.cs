using System.Text.RegularExpressions;

namespace Isolation.Live.Tests;

/// <summary>What is reachable from inside, for each profile, as a list that was reviewed.</summary>
public sealed partial class SelfAuditTests
{
    private const string Rewrite = "ISOLATION_REWRITE_GOLDEN";

    private const string Audit = """
        echo "# descriptors"
        for fd in /proc/self/fd/*; do test -L $fd && echo "${fd##*/} $(readlink $fd)"; done | grep -v "/proc/[0-9]*/fd$" | sort
        echo "# identity"
        id -u; id -g
        grep -E "^(CapInh|CapPrm|CapEff|CapBnd|CapAmb|NoNewPrivs|Seccomp):" /proc/self/status
        echo "# mounts"
        cut -d " " -f 5- /proc/self/mountinfo | grep -vE "^/(proc|sys)/" | sort -u
        cut -d " " -f 5 /proc/self/mountinfo | grep -qE "^/proc/(kcore|keys|timer_list|sys)" && echo "masks"
        echo "# writable"
        for place in / /bin /data /etc /dev /dev/mqueue /dev/shm /proc /proc/sys /proc/sys/kernel /run /sys /sys/kernel /tmp; do
            test -w $place && echo $place
        done
        for file in /proc/sysrq-trigger /proc/sys/kernel/core_pattern /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/hostname /proc/self/oom_score_adj; do
            test -w $file && echo $file
        done
        echo "# devices"
        ls /dev
        echo "# network"
        cut -d : -f 1 -s /proc/net/dev 2>/dev/null | grep -v "|"
        cat /proc/net/unix 2>/dev/null | grep -c @
        echo "# processes"
        set -- /proc/[0-9]*; echo $#
        echo "# empty or not there"
        for file in /proc/kcore /proc/keys /proc/timer_list /proc/interrupts /proc/sched_debug; do test -s $file && head -c 1 $file | grep -q . && echo "$file can be read"; done
        true
        """;

    [Theory]
    [InlineData(SecurityProfile.Default)]
    [InlineData(SecurityProfile.Strict)]
    [InlineData(SecurityProfile.Untrusted)]
    [InlineData(SecurityProfile.Privileged)]
    public async Task All_that_is_reachable_is_what_was_reviewed(SecurityProfile profile)
    {
        Assert.SkipWhen(Environment.GetEnvironmentVariable("ISOLATION_TEST_KERNEL") is not null, "what file systems say of themselves differs from kernel to kernel");
        using TestRoot root = new();
        File.SetUnixFileMode(root.Path, (UnixFileMode)0x1ED);
        ContainerResult result = await root.Shell(Audit).WithInput(InputSource.Empty).WithSecurity(profile).ResultAsync();
        Assert.True(result.Succeeded, result.ToString() + result.StandardError);
        string audit = Normal(result.StandardOutput, root.Path);
        if (profile == SecurityProfile.Privileged) audit = Sets().Replace(HostsDevices().Replace(audit, "# devices\nthe host's\n# network"), "$1 all that the caller has");

        string name = $"{profile}-{(Lane.IsRoot ? "root" : "unprivileged")}.txt", path = Path.Join(AppContext.BaseDirectory, "Attacks", "Golden", name);
        if (Environment.GetEnvironmentVariable(Rewrite) is { Length: > 0 } directory) await File.WriteAllTextAsync(Path.Join(directory, name), audit, Sandbox.Token);
        Assert.Equal(File.Exists(path) ? await File.ReadAllTextAsync(path, Sandbox.Token) : "", audit);
    }

    private static string Normal(string audit, string root)
    {
        audit = audit.Replace(root, "ROOT", StringComparison.Ordinal);
        audit = Numbers().Replace(audit, "$1:[N]");
        audit = FileSystem().Replace(audit, "$1 $2");
        audit = audit.Replace(",relatime", "", StringComparison.Ordinal).Replace(",noatime", "", StringComparison.Ordinal);
        return OfTheHost().Replace(audit, "$1 of the host");
    }

    [GeneratedRegex(@"(pipe|socket|anon_inode):\[\d+\]")]
    private static partial Regex Numbers();

    // Without optional fields, the source, and what is the machine's: major and minor numbers, limits of inodes, sizes.
    [GeneratedRegex(@"^(/\S* \S+)(?: \w+:\d+)* - (\S+) .*$", RegexOptions.Multiline)]
    private static partial Regex FileSystem();

    // What is bound has the file system and the flags of where it comes from.
    [GeneratedRegex(@"^(/|/dev/(?:full|null|random|tty|urandom|zero)) \S+ \S+$", RegexOptions.Multiline)]
    private static partial Regex OfTheHost();

    [GeneratedRegex("^(Cap(?:Prm|Eff|Bnd):)\\s.*$", RegexOptions.Multiline)]
    private static partial Regex Sets();

    [GeneratedRegex("# devices\n.*?# network", RegexOptions.Singleline)]
    private static partial Regex HostsDevices();
}
