using Isolation.Linux;

namespace Isolation.Live.Tests;

/// <summary>What the program is given: arguments, environment, directory, mask.</summary>
public sealed class ArgumentTests
{
    [Fact]
    public async Task Arguments_arrive_as_they_are()
    {
        string[] arguments = ["", " ", "two words", "tab\tnew\nline", "'single' \"double\" `back` $(dollar) $HOME \\", "ünïcödé 日本 🦊", "-n", "--", "*", "", "=,:;"];

        byte[] bytes = (await Sandbox.Host(["/bin/sh", "-c", "cat /proc/$$/cmdline; :", .. arguments]).ResultAsync()).StandardOutputBytes.ToArray();

        string expected = string.Concat(((string[])["/bin/sh", "-c", "cat /proc/$$/cmdline; :", .. arguments]).Select(word => word + "\0"));
        Assert.Equal(expected, System.Text.Encoding.UTF8.GetString(bytes));
    }

    [Fact]
    public async Task A_megabyte_of_arguments_arrives()
    {
        string[] arguments = [.. Enumerable.Range(0, 16).Select(i => new string((char)('a' + i), 65_536))];

        ContainerResult result = await Sandbox.Host(["sh", "-c", "echo $#; echo ${#1}; echo ${16} | tail -c 4", "name", .. arguments]).ResultAsync();

        Assert.Equal("16\n65536\nppp\n", Sandbox.Output(result) + "\n");
    }

    [Fact]
    public async Task More_than_the_kernel_takes_is_too_long()
    {
        string[] arguments = [.. Enumerable.Repeat(new string('a', 100_000), 80)];

        ContainerException refusal = await Sandbox.Host(["true", .. arguments]).RefusalAsync();

        Assert.Equal(ContainerErrorReason.ArgumentsTooLong, refusal.Reason);
        Assert.Equal(Errno.E2BIG, refusal.Errno);
        Assert.True(refusal.Message.Length < 5_000, $"the message repeats the arguments: {refusal.Message.Length} characters");
    }

    [Fact]
    public async Task The_environment_is_what_was_given_and_path_and_home()
    {
        Environment.SetEnvironmentVariable("ISOLATION_LIVE_SECRET", "of the host");

        string text = (await Sandbox.Host("env", "-0").WithEnvironment("A", "1=2 \n'\"").WithEnvironment("EMPTY", "").WithEnvironment("Ü", "ü").ResultAsync()).StandardOutput;

        string[] variables = [.. text.Split('\0', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal)];
        Assert.Equal(["A=1=2 \n'\"", "EMPTY=", "HOME=/root", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "Ü=ü"], variables);
    }

    [Fact]
    public async Task Path_and_home_can_be_replaced()
    {
        string[] lines = await Sandbox.Host("/usr/bin/env").WithEnvironment("PATH", "/nowhere").WithEnvironment("HOME", "/srv").LinesAsync();

        Assert.Equal(["HOME=/srv", "PATH=/nowhere"], lines.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("/usr/share/", "/usr/share")]
    [InlineData("/proc/self", "/proc/1")]
    [InlineData("/", "/")]
    [InlineData("/tmp", "/tmp")]
    public async Task It_starts_in_its_working_directory(string path, string expected) =>
        Assert.Equal(expected, await Sandbox.Host("/bin/pwd", "-P").WithWorkingDirectory(path).OutputAsync());

    [Theory]
    [InlineData(0x12, "644")] // 022
    [InlineData(0x3F, "600")] // 077
    [InlineData(0, "666")]
    public async Task Files_have_the_modes_that_the_mask_leaves(int mask, string mode) =>
        Assert.Equal(mode, await Sandbox.HostShell("touch /tmp/file; stat -c %a /tmp/file").WithUmask(mask).OutputAsync());
}
