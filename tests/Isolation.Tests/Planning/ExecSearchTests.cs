using System.Runtime.InteropServices;
using Isolation.Launch;
using Isolation.Linux;

namespace Isolation.Tests;

/// <summary>The search for the program, run for real in a directory of this test: which one is started, and what is said when none is.</summary>
public class ExecSearchTests
{
    public static TheoryData<Architecture> Architectures => [Architecture.X64, Architecture.Arm64];

    [Theory, MemberData(nameof(Architectures))]
    public void The_first_that_can_be_executed_is_started_past_missing_ones_files_and_denied_ones(Architecture architecture)
    {
        using TemporaryDirectory directory = new();
        directory.Write("denied/tool", "");
        directory.Write("file", "");
        Script(directory, "good/tool", "#!/bin/sh\necho good \"$1\"\n");
        Script(directory, "late/tool", "#!/bin/sh\necho late\n");
        ToolRun run = Run(architecture, directory, "missing:file:denied:good:late");
        Assert.Equal(("good argument\n", 0), (run.Text, run.ExitCode));
    }

    [Theory, MemberData(nameof(Architectures))]
    public void A_program_that_is_nowhere_is_reported_as_missing(Architecture architecture)
    {
        using TemporaryDirectory directory = new();
        directory.Write("file", "");
        (ChannelMessages messages, Errno errno) = Said(Run(architecture, directory, "file:missing"));
        Assert.Equal((false, false, Errno.ENOENT), (messages.ProgramDenied, messages.ProgramPresent, errno));
    }

    [Theory, MemberData(nameof(Architectures))]
    public void A_program_that_may_not_be_executed_is_reported_as_denied(Architecture architecture)
    {
        using TemporaryDirectory directory = new();
        directory.Write("denied/tool", "");
        (ChannelMessages messages, Errno errno) = Said(Run(architecture, directory, "denied:missing"));
        Assert.Equal((true, false, Errno.ENOENT), (messages.ProgramDenied, messages.ProgramPresent, errno));
    }

    [Theory, MemberData(nameof(Architectures))]
    public void A_program_whose_interpreter_is_missing_is_reported_as_present(Architecture architecture)
    {
        using TemporaryDirectory directory = new();
        Script(directory, "good/tool", "#!/no/such/interpreter\n");
        (ChannelMessages messages, Errno errno) = Said(Run(architecture, directory, "good:missing"));
        Assert.Equal((false, true, Errno.ENOENT), (messages.ProgramDenied, messages.ProgramPresent, errno));
    }

    [Theory, MemberData(nameof(Architectures))]
    public void A_program_of_no_known_format_is_not_passed_over(Architecture architecture)
    {
        using TemporaryDirectory directory = new();
        Script(directory, "bad/tool", "no format at all");
        Script(directory, "good/tool", "#!/bin/sh\necho good\n");
        (_, Errno errno) = Said(Run(architecture, directory, "bad:good"));
        Assert.Equal(Errno.ENOEXEC, errno);
    }

    /// <summary>The steps of the search and of the failure, with the standard output where the channel would be.</summary>
    private static ToolRun Run(Architecture architecture, TemporaryDirectory directory, string path)
    {
        ContainerSpec spec = new()
        {
            Command = ["tool", "argument"],
            Environment = ContainerSpec.DefaultEnvironment.SetItem("PATH", string.Join(':', path.Split(':').Select(name => directory[name]))),
        };
        return new ImageRunner(architecture).Run(
            writer =>
            {
                writer.Call(SystemCall.dup3, 1, writer.Channel, Abi.O_CLOEXEC);
                ExecSteps.Write(writer, spec, Identity.Root);
            },
            failure: last => FailureSteps.Write(last, unheard: false));
    }

    /// <summary>Messages are as long as they are: the fault record is the last, and the other message comes before it.</summary>
    private static (ChannelMessages Messages, Errno Errno) Said(ToolRun run)
    {
        Assert.Equal(127, run.ExitCode);
        ChannelMessages messages = new();
        messages.Add(run.Output.AsSpan(0, run.Output.Length - MachineCode.FirstStep));
        messages.Add(run.Output.AsSpan(run.Output.Length - MachineCode.FirstStep));
        return (messages, (Errno)(-messages.Fault!.Value.Result));
    }

    private static void Script(TemporaryDirectory directory, string name, string text) =>
        File.SetUnixFileMode(directory.Write(name, text), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
}
