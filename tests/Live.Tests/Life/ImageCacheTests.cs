using Isolation.Launch;

namespace Isolation.Live.Tests;

/// <summary>Images of launches are descriptors, and there are never many of them.</summary>
public sealed class ImageCacheTests
{
    [Fact]
    public async Task Many_kinds_of_containers_hold_few_images_and_each_still_starts()
    {
        ContainerSpec[] specs = [.. Enumerable.Range(0, 150).Select(number => Sandbox.HostShell($"echo {number}").Build())];
        for (int round = 0; round < 2; round++)
        {
            ContainerResult[] results = await Task.WhenAll(specs.Select(spec => spec.RunAsync(TestContext.Current.CancellationToken)));
            Assert.Equal(Enumerable.Range(0, 150).Select(number => $"{number}\n"), results.Select(result => result.StandardOutput));
            Assert.InRange(ImageCache.Shared.Count, 1, 64);
        }

        int open = Directory.GetFiles("/proc/self/fd").Count(path => File.ResolveLinkTarget(path, false)?.Name.StartsWith("memfd:isolation", StringComparison.Ordinal) == true);
        Assert.InRange(open, 1, 64);
    }
}
