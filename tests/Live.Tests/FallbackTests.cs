using Isolation.Nested;

namespace Isolation.Live.Tests;

/// <summary>
/// System calls that a kernel or a filter lacks: a program is put under a filter that answers ENOSYS, and its containers,
/// which inherit the filter, must work the same.
/// </summary>
public sealed class FallbackTests
{
    public static TheoryData<string> Denied =>
        ["clone3", "openat2", "mount_setattr", "close_range_flags", "memfd_create", "clone3,openat2,mount_setattr,close_range_flags,memfd_create"];

    [Theory]
    [MemberData(nameof(Denied))]
    public async Task A_root_of_the_hosts_files(string calls)
    {
        using TemporaryDirectory directory = new();
        directory.Write("file", "bound");
        (int code, string output, string error) = await Sandbox.OnHostAsync(NestedProgram.Path, "--deny", calls, "run", "--read-only-bind", directory.Path, "/data", "--masked", "/data/masked", "--",
            "sh", "-c", "echo $$; id -u; cat /data/file; touch /data/new 2>/dev/null || echo refused; touch /etc/new && echo layered; (echo 65 > /proc/sys/net/ipv4/ip_default_ttl) 2>&1 | grep -o Read-only; mkdir /sys/new 2>&1 | grep -o Read-only; i=3; while [ $i -lt 400 ]; do [ -e /proc/$$/fd/$i ] && echo leaked $i; i=$((i+1)); done; true");

        Assert.True(code == 0, error);
        Assert.Equal("1\n0\nboundrefused\nlayered\nRead-only\nRead-only\n", output);
    }

    [Theory]
    [MemberData(nameof(Denied))]
    public async Task A_directory(string calls)
    {
        foreach (RootAccess access in Enum.GetValues<RootAccess>())
        {
            using TestRoot root = new();
            (int code, string output, string error) = await Sandbox.OnHostAsync(NestedProgram.Path, "--deny", calls, "run", "--directory", root.Path, access.ToString(), "--",
                "sh", "-c", "echo $$; touch /new 2>/dev/null && echo written; touch /tmp/new && echo private; cat /etc/hosts | grep -c localhost");

            Assert.True(code == 0, error);
            Assert.Equal(access == RootAccess.ReadOnly ? "1\nprivate\n2\n" : "1\nwritten\nprivate\n2\n", output);
            Assert.Equal(access == RootAccess.ReadWrite, File.Exists(root["new"]));
        }
    }

    [Fact]
    public async Task A_descriptor_with_free_numbers_below()
    {
        using TemporaryDirectory directory = new();
        (int code, string output, string error) = await Sandbox.OnHostAsync(NestedProgram.Path, "--deny", "close_range_flags", "run", "--descriptor", "7", directory.Write("file", "passed\n"), "--", "sh", "-c", "ls /proc/$$/fd; cat <&7");

        Assert.True(code == 0, error);
        Assert.Equal("0\n1\n2\n7\npassed\n", output);
    }

    [Fact]
    public async Task A_program_that_fails_is_told_with_every_fallback()
    {
        (int code, _, string error) = await Sandbox.OnHostAsync(NestedProgram.Path, "--deny", "clone3,openat2,mount_setattr,close_range_flags,memfd_create", "run", "--", "no-such-program");

        Assert.Equal(NestedProgram.Refused, code);
        Assert.StartsWith("ProgramNotFound:", error, StringComparison.Ordinal);
    }
}
