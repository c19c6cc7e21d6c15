using Isolation.Launch;
using Isolation.Linux;

namespace Isolation;

/// <summary>What one container has and no other may have at the same time: a range of ids, a pair of SELinux categories.</summary>
internal sealed class LaunchClaims : IDisposable
{
    private Claim? _categories;

    private LaunchClaims()
    {
    }

    internal IdRange? Range { get; private set; }

    internal SelinuxLabels? Labels { get; private set; }

    /// <exception cref="ContainerException">Nothing is left to be claimed, or what is asked for is not to be had here.</exception>
    internal static LaunchClaims Take(ContainerSpec spec)
    {
        LaunchClaims claims = new();
        try
        {
            HostFacts host = HostFactsReader.Current;
            if (spec is { EntersContainer: { } container, Selinux: null or { Process: null } }) claims.Labels = container.Launch.Labels;
            else (claims.Labels, claims._categories) = SelinuxLabels.Take(spec, host);
            if (spec.OwnIds is { } ids) claims.Range = IdRanges.Take(ids, host);
            return claims;
        }
        catch
        {
            claims.Dispose();
            throw;
        }
    }

    /// <summary>They stay taken while that process runs, whether this one does or not.</summary>
    /// <exception cref="LinuxException">It cannot be written.</exception>
    internal void KeepFor(int processId)
    {
        _categories?.KeepFor(processId);
        Range?.Claim?.KeepFor(processId);
    }

    public void Dispose()
    {
        _categories?.Dispose();
        Range?.Claim?.Dispose();
    }
}
