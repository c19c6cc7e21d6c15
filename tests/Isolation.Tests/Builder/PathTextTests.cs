using CsCheck;

namespace Isolation.Tests;

public class PathTextTests
{
    [Theory]
    [InlineData("/data", "/data"), InlineData("/data/", "/data"), InlineData("//a///b", "/a/b"), InlineData("/./a/./b/.", "/a/b"), InlineData("/..a/b..", "/..a/b..")]
    public void A_target_is_written_in_one_way_only(string written, string target) => Assert.Equal(target, PathText.Target(written, "path"));

    [Fact]
    public void A_target_is_absolute_and_holds_no_empty_name_and_no_dots_whatever_was_written()
    {
        Gen<string> name = Gen.OneOf("a", "b", "..", ".", "", "...", " ");
        int accepted = 0, refused = 0;
        name.Array[1, 6].Select(names => "/" + string.Join('/', names)).Sample(
            written =>
            {
                string[] names = written.Split('/');
                bool escapes = names.Contains(".."), isRoot = names.All(part => part is "" or ".");
                if (escapes || isRoot)
                {
                    Assert.Contains($"'{written}'", Assert.Throws<ArgumentException>(() => PathText.Target(written, "path")).Message, StringComparison.Ordinal);
                    Interlocked.Increment(ref refused);
                    return;
                }

                string target = PathText.Target(written, "path");
                Assert.Equal(names.Where(part => part is not ("" or ".")), target[1..].Split('/'));
                Assert.Equal(target, PathText.Target(target, "path"));
                Interlocked.Increment(ref accepted);
            },
            iter: 500, threads: 1);
        Assert.All([accepted, refused], count => Assert.InRange(count, 50, 500));
    }

    [Fact]
    public void Lengths_are_counted_in_bytes()
    {
        Assert.Equal(4095, PathText.Checked("/" + new string('a', 4094), "path").Length);
        Assert.Throws<PathTooLongException>(() => PathText.Checked("/" + new string('č', 2048), "path"));
        Assert.Equal(32, PathText.HostName(new string('č', 32), "name").Length);
        Assert.Throws<ArgumentException>(() => PathText.HostName(new string('č', 33), "name"));
    }
}
