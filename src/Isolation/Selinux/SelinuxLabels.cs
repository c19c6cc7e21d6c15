using System.Globalization;
using System.Text.RegularExpressions;
using Isolation.Linux;

namespace Isolation;

/// <summary>The labels of one container (selinux(8)).</summary>
/// <param name="Process">Of its program, set when it is executed; null to leave that to the policy.</param>
/// <param name="Mounts">Of the file systems that are made for it, and of what is relabelled for it; null for those the policy gives.</param>
internal sealed partial record SelinuxLabels(string? Process, string? Mounts)
{
    private const int Categories = 1024;

    /// <summary>What binds are labelled that several containers share: without categories, which every one dominates.</summary>
    internal string? Shared => Mounts is null ? null : string.Join(':', Mounts.Split(':').Take(3).Append("s0"));

    /// <summary>Of the container that asks; a pair of categories of its own is claimed where it names no labels.</summary>
    /// <returns>Null labels where none were asked for, or the kernel has no SELinux and they were only preferred.</returns>
    /// <exception cref="ContainerException">There is no SELinux in this kernel, or no pair is left.</exception>
    internal static (SelinuxLabels? Labels, Claim? Claim) Take(ContainerSpec spec, HostFacts host)
    {
        if (spec.Selinux is not { } use || (use.Preferred && !host.HasSelinux)) return default;
        if (!host.HasSelinux)
            throw new ContainerException(ContainerErrorReason.SecurityUnavailable, "An SELinux label is asked for, and this kernel has no SELinux, or is not booted with it", null, "use a kernel with selinux in lsm= of its command line, or say preferred: true");
        if (use.Process is not null || use.Mounts is not null) return (new(use.Process, use.Mounts), null);
        try
        {
            if (ClaimDirectory.Of(ClaimDirectory.Categories).TryChoose(Choose, out Claim? claim))
            {
                (string process, string mounts) = SelinuxTypes.Read();
                return (new(WithCategories(process, claim.Name), WithCategories(mounts, claim.Name)), claim);
            }
        }
        catch (LinuxException exception)
        {
            throw new ContainerException(ContainerErrorReason.SecurityUnavailable, "Cannot claim a pair of SELinux categories", exception, exception.Remedy);
        }

        throw new ContainerException(ContainerErrorReason.SecurityUnavailable, "Every pair of SELinux categories is another container's", null, "give labels to WithSelinuxLabel");
    }

    /// <summary>The lower number first, as the kernel writes it.</summary>
    internal static string? Choose(List<string> taken)
    {
        HashSet<string> names = [.. taken];
        for (int guess = 0; guess < 4 * Categories; guess++)
        {
            int one = Random.Shared.Next(Categories), other = Random.Shared.Next(Categories);
            if (one == other) continue;
            string name = string.Create(CultureInfo.InvariantCulture, $"c{Math.Min(one, other)},c{Math.Max(one, other)}");
            if (!names.Contains(name)) return name;
        }

        return null;
    }

    internal static string WithCategories(string label, string categories) => string.Join(':', [.. label.Split(':').Take(3), "s0", categories]);

    internal static string Checked(string label, string parameter)
    {
        ArgumentException.ThrowIfNullOrEmpty(label, parameter);
        return Label().IsMatch(label) ? label : throw new ArgumentException($"'{label.ReplaceLineEndings(" ")}' is no SELinux label: user:role:type, and :level where the policy has levels, as system_u:system_r:container_t:s0:c1,c2.", parameter);
    }

    [GeneratedRegex(@"^[A-Za-z0-9_.-]+:[A-Za-z0-9_.-]+:[A-Za-z0-9_.-]+(:[A-Za-z0-9_.,:-]+)?\z")]
    private static partial Regex Label();
}
