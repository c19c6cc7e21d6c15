using Isolation.Linux;

namespace Isolation.UnionFs.Tests;

public sealed class MergedLookupTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("isolation-test-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void A_name_is_in_the_topmost_layer_that_has_it()
    {
        Write("low/a", "low");
        Write("low/b", "low");
        Write("high/a", "high");

        Assert.Equal("high", Read("a"));
        Assert.Equal("low", Read("b"));
        Assert.Null(Read("c"));
    }

    [Fact]
    public void Directories_are_merged_and_files_are_not()
    {
        Write("low/etc/passwd", "low");
        Write("low/was", "file");
        Write("high/etc/group", "high");
        Write("high/was/directory", "x");

        Assert.Equal("low", Read("etc/passwd"));
        Assert.Equal("high", Read("etc/group"));
        Assert.Equal("x", Read("was/directory"));
        Assert.Null(Read("etc/passwd/x"));
    }

    [Fact]
    public void What_is_removed_or_hidden_is_not_there()
    {
        Write("low/gone", "low");
        Write("low/etc/passwd", "low");
        Write("high/etc/group", "high");
        using (FileDescriptor high = Open("high")) Assert.Equal(0, OverlayForm.MakeWhiteout(high, "gone\0"u8));
        using (FileDescriptor etc = Open("high/etc")) Assert.Equal(0, OverlayForm.MakeOpaque(etc));

        Assert.Null(Read("gone"));
        Assert.Null(Read("etc/passwd"));
        Assert.Equal("high", Read("etc/group"));
    }

    [Fact]
    public void A_directory_that_is_above_a_file_hides_what_is_below_the_file()
    {
        Write("lowest/x/lowest", "1");
        Write("low/x", "file");
        Write("high/x/high", "3");

        using MergedLookup tree = new([At("lowest"), At("low"), At("high")]);
        using FileDescriptor? high = tree.Find("x/high"), lowest = tree.Find("x/lowest");

        Assert.NotNull(high);
        Assert.Null(lowest);
    }

    [Theory]
    [InlineData("absolute", "/etc/passwd")]
    [InlineData("relative", "etc/passwd")]
    [InlineData("above", "../../../etc/passwd")]
    [InlineData("twice", "absolute")]
    public void Links_lead_within_the_root(string name, string target)
    {
        Write("low/etc/passwd", "low");
        Write("high/x", "");
        File.CreateSymbolicLink(At("high/absolute"), "/etc/passwd");
        if (name != "absolute") File.CreateSymbolicLink(At("high/" + name), target);
        File.CreateSymbolicLink(At("low/to-etc"), "/x/../etc/./");

        Assert.Equal("low", Read(name));
        Assert.Null(Read("to-etc/passwd")); // x is no directory
    }

    [Fact]
    public void A_link_to_a_directory_goes_on_in_all_layers()
    {
        Write("low/var/run/a", "1");
        Write("high/var/run/b", "2");
        Write("high/x", "");
        File.CreateSymbolicLink(At("high/run"), "var/run");

        Assert.Equal("1", Read("run/a"));
        Assert.Equal("2", Read("run/b"));
        Assert.Equal("2", Read("run/../run/b"));
    }

    [Fact]
    public void Links_in_a_circle_are_an_error()
    {
        Write("low/x", "");
        Write("high/x", "");
        File.CreateSymbolicLink(At("low/a"), "b");
        File.CreateSymbolicLink(At("high/b"), "a");

        Assert.Equal(Errno.ELOOP, Assert.Throws<LinuxException>(() => Read("a")).Errno);
    }

    private string? Read(string path)
    {
        using MergedLookup tree = new([At("low"), At("high")]);
        using FileDescriptor? found = tree.Find(path);
        return found is null ? null : System.Text.Encoding.UTF8.GetString(ContainedPath.ReadFound(found, path, 100));
    }

    private string At(string path) => Path.Join(_directory.FullName, path);

    private FileDescriptor Open(string path) => FileDescriptor.Open(At(path), Abi.O_RDONLY);

    private void Write(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(path))!);
        File.WriteAllText(At(path), text);
    }
}
