using Isolation.Linux;

namespace Isolation.Live.Tests;

/// <summary>A program that does not start, and why.</summary>
public sealed class ProgramErrorTests
{
    [Theory]
    [InlineData("no-such-program")]
    [InlineData("/no/such/program")]
    [InlineData("./no-such-program")]
    [InlineData("/etc/passwd-not/program")]
    public async Task Missing(string program)
    {
        ContainerException refusal = await Sandbox.Host(program, "argument").RefusalAsync();

        Assert.Equal(ContainerErrorReason.ProgramNotFound, refusal.Reason);
        Assert.Contains($"'{program}'", refusal.Message, StringComparison.Ordinal);
        Assert.NotNull(refusal.Remedy);
        Assert.Equal("start the program", refusal.Purpose);
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("directory")]
    public async Task Not_executable(string name)
    {
        using TestRoot root = new();
        root.Write("plain", "#!/bin/sh\n");
        root.MakeDirectory("directory");

        ContainerException refusal = await root.Container(RootAccess.ReadOnly, "/" + name).RefusalAsync();

        Assert.Equal(ContainerErrorReason.ProgramNotExecutable, refusal.Reason);
        Assert.Equal(Errno.EACCES, refusal.Errno);
    }

    [Fact]
    public async Task Below_a_file_there_is_no_program()
    {
        ContainerException refusal = await Sandbox.Host("/etc/passwd/program").RefusalAsync();

        Assert.Equal(ContainerErrorReason.ProgramNotFound, refusal.Reason);
    }

    [Fact]
    public async Task For_another_architecture()
    {
        using TestRoot root = new();
        byte[] image = File.ReadAllBytes(root["bin/busybox"]);
        image[18] = image[18] == 0x3E ? (byte)0xF3 : (byte)0x3E; // e_machine: RISC-V on x86-64, x86-64 elsewhere
        File.WriteAllBytes(root["foreign"], image);
        File.SetUnixFileMode(root["foreign"], (UnixFileMode)0x1ED);

        ContainerException refusal = await root.Container(RootAccess.ReadOnly, "/foreign").RefusalAsync();

        Assert.Equal(ContainerErrorReason.ProgramFormat, refusal.Reason);
        Assert.Contains("architecture", refusal.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Not_a_program_at_all()
    {
        using TestRoot root = new();
        Script(root, "text", "echo no first line\n");
        Script(root, "empty", "");

        Assert.Equal(ContainerErrorReason.ProgramFormat, (await root.Container(RootAccess.ReadOnly, "/text").RefusalAsync()).Reason);
        Assert.Equal(ContainerErrorReason.ProgramFormat, (await root.Container(RootAccess.ReadOnly, "/empty").RefusalAsync()).Reason);
    }

    [Theory]
    [InlineData("/script")]
    [InlineData("script")]
    public async Task A_script_whose_interpreter_is_missing(string name)
    {
        using TestRoot root = new();
        Script(root, "script", "#!/nonexistent/interpreter\n");

        ContainerException refusal = await root.Container(RootAccess.ReadOnly, name).WithEnvironment("PATH", "/bin:/").RefusalAsync();

        Assert.Equal(ContainerErrorReason.InterpreterNotFound, refusal.Reason);
    }

    [Fact]
    public async Task A_program_whose_loader_is_missing()
    {
        using TestRoot root = new();
        File.Copy("/bin/true", root["dynamic"]);

        ContainerException refusal = await root.Container(RootAccess.ReadOnly, "/dynamic").RefusalAsync();

        Assert.Equal(ContainerErrorReason.InterpreterNotFound, refusal.Reason);
        Assert.Contains("loader", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_working_directory_that_is_missing_or_none()
    {
        ContainerException missing = await Sandbox.Host("true").WithWorkingDirectory("/no/such/directory").RefusalAsync();
        ContainerException file = await Sandbox.Host("true").WithWorkingDirectory("/etc/passwd").RefusalAsync();

        Assert.Equal(ContainerErrorReason.WorkingDirectoryNotFound, missing.Reason);
        Assert.Contains("/no/such/directory", missing.Message, StringComparison.Ordinal);
        Assert.Equal(ContainerErrorReason.WorkingDirectoryNotFound, file.Reason);
    }

    private static void Script(TestRoot root, string name, string text)
    {
        root.Write(name, text);
        File.SetUnixFileMode(root[name], (UnixFileMode)0x1ED);
    }
}
