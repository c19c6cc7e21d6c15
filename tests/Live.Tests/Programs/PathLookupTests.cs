namespace Isolation.Live.Tests;

/// <summary>A name without a slash is looked for in PATH, inside the container, as execvp(3) does.</summary>
public sealed class PathLookupTests
{
    [Fact]
    public async Task The_first_that_can_run_is_taken()
    {
        using TestRoot root = new();
        Program(root, "second/program", "second");
        Program(root, "third/program", "third");
        root.MakeDirectory("first");

        Assert.Equal("second", await root.Container(RootAccess.ReadOnly, "program").WithEnvironment("PATH", "/missing:/first:/second:/third:/bin").OutputAsync());
    }

    [Fact]
    public async Task What_cannot_be_searched_or_run_is_passed_over()
    {
        using TestRoot root = new();
        Program(root, "shut/program", "shut");
        root.Write("plain/program", "#!/bin/sh\necho plain\n"); // no execute bit
        root.MakeDirectory("directory/program");
        root.Write("file", "");
        Program(root, "last/program", "last");
        File.SetUnixFileMode(root["shut"], UnixFileMode.None);
        try
        {
            // Without capabilities root is a user like any other.
            ContainerBuilder builder = root.Container(RootAccess.ReadOnly, "program").DropAllCapabilities();

            Assert.Equal("last", await builder.WithEnvironment("PATH", "/file:/shut:/plain:/directory:/last:/bin").OutputAsync());
            Assert.Equal(ContainerErrorReason.ProgramNotExecutable, (await builder.WithEnvironment("PATH", "/plain:/missing").RefusalAsync()).Reason);
        }
        finally
        {
            File.SetUnixFileMode(root["shut"], (UnixFileMode)0x1ED);
        }
    }

    [Fact]
    public async Task An_empty_entry_is_the_working_directory()
    {
        using TestRoot root = new();
        Program(root, "place/program", "here");

        Assert.Equal("here", await root.Container(RootAccess.ReadOnly, "program").WithWorkingDirectory("/place").WithEnvironment("PATH", "/missing::/bin").OutputAsync());
    }

    [Fact]
    public async Task A_name_with_a_slash_is_not_looked_for()
    {
        using TestRoot root = new();
        Program(root, "place/program", "here");

        Assert.Equal("here", await root.Container(RootAccess.ReadOnly, "./program").WithWorkingDirectory("/place").OutputAsync());
        Assert.Equal("here", await root.Container(RootAccess.ReadOnly, "place/program").OutputAsync());
        Assert.Equal("here", await root.Container(RootAccess.ReadOnly, "/place/program").OutputAsync());
    }

    private static void Program(TestRoot root, string path, string says)
    {
        root.Write(path, $"#!/bin/sh\necho {says}\n");
        File.SetUnixFileMode(root[path], (UnixFileMode)0x1ED);
    }
}
