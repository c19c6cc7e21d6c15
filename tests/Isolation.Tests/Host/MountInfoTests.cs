using System.Text;
using CsCheck;
using Isolation.Linux;

namespace Isolation.Tests;

public class MountInfoTests
{
    [Fact]
    public void Paths_types_and_kinds_are_read_outermost_first() =>
        Assert.Equal(
            [new("/", "ext4", true), new("/etc/hosts", "ext4", false), new("/usr/lib", "squashfs", true, 3)],
            Visible(
                "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw",
                "30 22 0:5 / /usr/lib ro,nosuid master:2 propagate_from:3 - squashfs /dev/loop0 ro",
                "31 22 254:0 /x /etc/hosts rw - ext4 /dev/vda rw"));

    [Fact]
    public void Escapes_in_a_path_are_undone() =>
        Assert.Equal(
            ["/a b", @"/c\d", "/e\tf", "/g\nh", "/č"],
            Visible(@"1 1 0:1 / /a\040b rw - x y z", @"1 1 0:1 / /c\134d rw - x y z", @"1 1 0:1 / /e\011f rw - x y z", @"1 1 0:1 / /g\012h rw - x y z", @"1 1 0:1 / /\304\215 rw - x y z").Select(mount => mount.Path));

    [Fact]
    public void The_topmost_of_stacked_mounts_is_seen() =>
        Assert.Equal(
            [new("/", "overlay", true), new("/data", "tmpfs", true)],
            Visible("1 1 0:1 / / rw - rootfs none rw", "2 1 0:2 / / rw - overlay none rw", "3 2 0:3 / /data rw - ext4 none rw", "4 3 0:4 / /data rw - tmpfs none rw"));

    [Fact]
    public void A_mount_hides_what_was_mounted_beneath_it_and_what_comes_later_is_seen() =>
        Assert.Equal(
            [new("/data", "tmpfs", true), new("/database", "ext4", true), new("/data/new", "ext4", true)],
            Visible(
                "1 1 0:1 / /data/old rw - ext4 none rw", "2 1 0:1 / /database rw - ext4 none rw",
                "3 1 0:2 / /data rw - tmpfs none rw", "4 3 0:1 / /data/new rw - ext4 none rw"));

    [Fact]
    public void A_mount_over_the_root_hides_everything_before_it() =>
        Assert.Equal([new("/", "tmpfs", true), new("/proc", "proc", true)], Visible("1 1 0:1 / / rw - ext4 none rw", "2 1 0:1 / /boot rw - ext4 none rw", "3 1 0:2 / / rw - tmpfs none rw", "4 3 0:2 / /proc rw - proc none rw"));

    [Fact]
    public void Flags_of_the_mount_are_read_and_those_of_the_file_system_are_not() =>
        Assert.Equal([0u, 1u, 14u], Visible("1 1 0:1 / /a rw - ext4 none ro,nosuid", "1 1 0:1 / /b ro,relatime - ext4 none rw", "1 1 0:1 / /c rw,nosuid,nodev,noexec shared:1 - x y rw").Select(mount => mount.Attributes));

    [Theory]
    [InlineData(""), InlineData("1 2 3"), InlineData("1 1 0:1 / /data rw shared:1"), InlineData("1 1 0:1 / /data rw -"), InlineData("- - - -")]
    public void Lines_that_are_no_mounts_are_passed_over(string line) => Assert.Equal(["/ok"], Visible(line, "1 1 0:1 / /ok rw - x y z", line).Select(mount => mount.Path));

    [Fact]
    public void Every_path_comes_back_from_the_form_the_kernel_writes_it_in() =>
        Gen.OneOf(Gen.Char.AlphaNumeric, Gen.OneOf(' ', '\t', '\n', '\\', '0', '1', '7', '8', 'č', '#')).Array[0, 12].Sample(characters =>
        {
            string path = "/" + new string(characters);
            string escaped = path.Replace("\\", @"\134", StringComparison.Ordinal).Replace(" ", @"\040", StringComparison.Ordinal)
                .Replace("\t", @"\011", StringComparison.Ordinal).Replace("\n", @"\012", StringComparison.Ordinal);
            Assert.Equal(path, MountEntry.Unescape(escaped));
        }, iter: 3000, threads: 1);

    [Fact]
    public void Unescaping_anything_at_all_neither_throws_nor_makes_it_longer() =>
        Gen.OneOf(Gen.Char, Gen.OneOf('\\', '\\', '0', '3', '7', '9')).Array[0, 20].Sample(characters =>
        {
            string text = new(characters);
            string result = MountEntry.Unescape(text);
            if (!text.Contains('\\')) Assert.Equal(text, result);
            Assert.InRange(Encoding.UTF8.GetByteCount(result), 0, 3 * Encoding.UTF8.GetByteCount(text));
        }, iter: 3000, threads: 1);

    [Fact]
    public void Reading_anything_at_all_does_not_throw() =>
        Gen.OneOf("1", "-", "/", "/a", "/a/b", " ", "\n", "\\040", "ext4", "\\").Array[0, 40].Sample(words =>
            _ = MountInfo.Visible(string.Concat(words), _ => true), iter: 3000, threads: 1);

    private static System.Collections.Immutable.ImmutableArray<HostMount> Visible(params string[] lines) =>
        MountInfo.Visible(string.Join('\n', lines) + "\n", path => !path.EndsWith("hosts", StringComparison.Ordinal));
}
