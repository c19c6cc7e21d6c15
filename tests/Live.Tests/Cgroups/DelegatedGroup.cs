using Isolation.Cgroups;
using Isolation.Live.Tests;

[assembly: AssemblyFixture(typeof(DelegatedGroup))]

namespace Isolation.Live.Tests;

/// <summary>
/// In a delegated group this process makes room before the first test: later on it would not be alone there, since tests
/// start programs at the same time.
/// </summary>
public sealed class DelegatedGroup : IAsyncLifetime
{
    public async ValueTask InitializeAsync()
    {
        if (!Lane.IsRoot && CgroupScope.MayMake) await Cgroup.Create(CgroupScope.NewName(), new() { Pids = 1 }).DisposeAsync();
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
