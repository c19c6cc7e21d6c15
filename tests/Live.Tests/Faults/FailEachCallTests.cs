using Isolation.Linux;
using Isolation.Nested;

namespace Isolation.Live.Tests;

/// <summary>
/// Each system call that the host makes for a container fails, one after the other: whoever waits is told so by an exception
/// that says what failed, or does not notice, and nothing is left behind. See <c>docs/decisions/0011-nothing-is-left.md</c>.
/// </summary>
[Collection(nameof(Alone))]
public sealed class FailEachCallTests
{
    // What a host meets: no descriptor left, no memory, a filter or a security module that forbids, a broken disk.
    private static readonly Errno[] Errnos = [Errno.EMFILE, Errno.ENOMEM, Errno.EPERM, Errno.EIO];

    // Every scenario with the one that is met most often, or with each.
    public static TheoryData<string, string> Turns =>
    [
        .. Scenarios.Names.SelectMany(scenario => Errnos.Where((_, j) => FaultScope.IsAll || j == 0).Select(errno => (scenario, errno.ToString()))),
    ];

    [Theory, MemberData(nameof(Turns))]
    [Trait("Category", "Slow")]
    public async Task A_call_that_fails_leaves_nothing_behind(string scenario, string errno)
    {
        string[][] lines = await FaultRun.RunAsync("fail-each-call", "<directory>", scenario, errno);

        string[] exceptions = [nameof(ContainerException), nameof(ContainerStateException), nameof(LinuxException)];

        // A terminal that nobody holds any more says EIO where a pipe says that it is the end.
        if ((scenario, errno) == ("terminal", nameof(Errno.EIO))) exceptions = [.. exceptions, nameof(EndOfStreamException)];
        FaultRun.AssertNothingIsLeft(lines, outcome: 2, exceptions);
    }
}
