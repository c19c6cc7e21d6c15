namespace Isolation.Live.Tests;

/// <summary>CVE-2024-21626: a working directory that is a descriptor of the host's.</summary>
public sealed class WorkingDirectoryTests
{
    [Fact]
    public async Task Descriptors_are_no_working_directories()
    {
        using TestRoot root = new();
        for (int descriptor = 3; descriptor < 24; descriptor++)
        {
            foreach (string prefix in (string[])["/proc/self/fd/", "/proc/1/fd/", "/proc/thread-self/fd/"])
            {
                string path = prefix + descriptor;
                ContainerException refusal = await root.Container(RootAccess.ReadOnly, "pwd").WithWorkingDirectory(path).RefusalAsync();
                Assert.Equal(ContainerErrorReason.WorkingDirectoryNotFound, refusal.Reason);
                Assert.Contains(path, refusal.Message, StringComparison.Ordinal);
            }
        }
    }

    [Theory]
    [InlineData("/proc/self/fd/3")]
    [InlineData("/proc/self/fd/5")]
    [InlineData("/proc/self/fd/8/..")]
    [InlineData("/proc/self/root")]
    [InlineData("/proc/self/cwd")]
    public async Task A_link_to_one_is_none_either(string link)
    {
        using TestRoot root = new();
        File.CreateSymbolicLink(root["work"], link);

        ContainerException refusal = await root.Container(RootAccess.ReadOnly, "pwd").WithWorkingDirectory("/work").RefusalAsync();

        Assert.Equal(ContainerErrorReason.WorkingDirectoryNotFound, refusal.Reason);
    }

    [Fact]
    public async Task A_link_out_of_the_root_stays_inside()
    {
        using TestRoot root = new();
        File.CreateSymbolicLink(root["up"], "../../../../..");
        root.MakeDirectory("place");
        File.CreateSymbolicLink(root["absolute"], "/place");

        Assert.Equal("/", await root.Container(RootAccess.ReadOnly, "pwd").WithWorkingDirectory("/up").OutputAsync());
        Assert.Equal("/place", await root.Container(RootAccess.ReadOnly, "pwd").WithWorkingDirectory("/absolute").OutputAsync());
    }
}
