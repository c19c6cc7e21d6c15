using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Isolation.Launch;
using Isolation.Linux;
using static Isolation.Linux.Abi;
using static Isolation.Linux.SystemCall;

namespace Isolation.Tests;

/// <summary>The machine code does what a plan says: small plans, made into programs and run. The same on both architectures.</summary>
public class InterpreterTests
{
    public static TheoryData<Architecture> Architectures => [Architecture.X64, Architecture.Arm64];

    [Theory, MemberData(nameof(Architectures))]
    public void Steps_run_in_order_and_the_exit_code_is_an_operand(Architecture architecture)
    {
        ToolRun run = new ImageRunner(architecture).Run(writer =>
        {
            Say(writer, "one ");
            Say(writer, "two\n");
            writer.Call(exit_group, 42);
        });
        Assert.Equal(("one two\n", 42), (run.Text, run.ExitCode));
    }

    [Theory, MemberData(nameof(Architectures))]
    public void All_six_operands_reach_the_kernel(Architecture architecture)
    {
        // A file is mapped at an offset: the last operand of six, and the fifth a descriptor.
        using TemporaryDirectory directory = new();
        string file = directory.Write("pages", new string('-', 65536) + "second page");
        ToolRun run = new ImageRunner(architecture).Run(writer =>
        {
            Slot descriptor = writer.CallInto("file", openat, Operand.CurrentDirectory, file, O_RDONLY | O_CLOEXEC);
            Slot memory = writer.CallInto("memory", mmap, 0, 11, PROT_READ, MAP_PRIVATE, descriptor, 65536);
            writer.Call(write, 1, memory, 11);
            writer.Call(exit_group, 0);
        });
        Assert.Equal("second page", run.Text);
    }

    [Theory, MemberData(nameof(Architectures))]
    public void A_result_is_an_operand_of_later_steps(Architecture architecture)
    {
        using TemporaryDirectory directory = new();
        string file = directory.Write("content", "what the file says");
        ToolRun run = new ImageRunner(architecture).Run(writer =>
        {
            Slot buffer = new("buffer", 64), count = new("count");
            Slot descriptor = writer.CallInto("file", openat, Operand.CurrentDirectory, file, O_RDONLY | O_CLOEXEC);
            writer.Call(read, descriptor, Operand.AddressOf(buffer), 64).Into(count);
            writer.Call(write, 1, Operand.AddressOf(buffer), count);
            writer.Call(write, 1, Operand.AddressOf(buffer, 9), 4);
            writer.Call(exit_group, count);
        });
        Assert.Equal(("what the file saysfile", 18), (run.Text, run.ExitCode));
    }

    [Theory, MemberData(nameof(Architectures))]
    public void An_expected_result_ends_a_loop(Architecture architecture)
    {
        byte[] input = [.. Enumerable.Range(0, 300).Select(i => (byte)i)];
        ToolRun run = new ImageRunner(architecture).Run(writer =>
        {
            Slot one = new("one");
            Label again = new("again"), end = new("end");
            writer.Mark(again);
            writer.Call(read, 0, Operand.AddressOf(one), 1).When(0, end);
            writer.Call(write, 1, Operand.AddressOf(one), 1).When(1, again);
            writer.Call(exit_group, 1);
            writer.Mark(end);
            writer.Call(exit_group, 0);
        }, input);
        Assert.Equal(0, run.ExitCode);
        Assert.Equal(input, run.Output);
    }

    [Theory, MemberData(nameof(Architectures))]
    public void A_result_other_than_the_expected_one_goes_on(Architecture architecture)
    {
        ToolRun run = new ImageRunner(architecture).Run(writer =>
        {
            Label wrong = new("wrong");
            writer.Call(write, 1, Operand.Content("ab"), 2).When(1, wrong);
            writer.Call(exit_group, 0);
            writer.Mark(wrong);
            writer.Call(exit_group, 1);
        });
        Assert.Equal(0, run.ExitCode);
    }

    [Theory, MemberData(nameof(Architectures))]
    public void An_error_goes_to_its_label_and_no_further(Architecture architecture)
    {
        ToolRun run = new ImageRunner(architecture).Run(writer =>
        {
            Label rescue = new("rescue");
            writer.Call(chdir, "/nowhere/at/all").OnErrorGo(rescue);
            Say(writer, "wrong ");
            writer.Mark(rescue);
            Say(writer, "rescued");
            writer.Call(exit_group, 0);
        });
        Assert.Equal(("rescued", 0), (run.Text, run.ExitCode));
    }

    [Theory, MemberData(nameof(Architectures))]
    public void Errors_that_are_tolerated_or_ignored_go_on(Architecture architecture)
    {
        ToolRun run = new ImageRunner(architecture).Run(writer =>
        {
            writer.Call(chdir, "/nowhere").Tolerate(Errno.ENOENT);
            Say(writer, "tolerated ");
            writer.Call(chdir, "/nowhere").IgnoreErrors();
            Say(writer, "ignored");
            writer.Call(exit_group, 0);
        });
        Assert.Equal(("tolerated ignored", 0), (run.Text, run.ExitCode));
    }

    [Theory, MemberData(nameof(Architectures))]
    public void An_error_without_a_label_is_recorded_with_its_step(Architecture architecture)
    {
        ToolRun run = new ImageRunner(architecture).Run(writer =>
        {
            writer.Call(chdir, "/nowhere").IgnoreErrors(); // recorded too, and written over
            writer.Call(umask, 0);
            writer.Call(fchdir, 1).Tolerate(Errno.ENOENT); // another error than the tolerated one
            Say(writer, "wrong");
        });
        Assert.Equal((99, 16), (run.ExitCode, run.Output.Length));
        Assert.Equal(MachineCode.FirstStep + 2 * MachineCode.StepSize, BinaryPrimitives.ReadInt64LittleEndian(run.Output));
        Assert.Equal(-(int)Errno.ENOTDIR, BinaryPrimitives.ReadInt64LittleEndian(run.Output.AsSpan(8)));
    }

    [Theory, MemberData(nameof(Architectures))]
    public void A_fork_runs_two_sides_of_one_plan_each_in_memory_of_its_own(Architecture architecture)
    {
        ToolRun run = new ImageRunner(architecture).Run(writer =>
        {
            Slot child = new("child"), status = new("status"), shared = new("shared");
            Label inChild = new("in the child");
            writer.Call(clone, SIGCHLD, 0, 0, 0, 0).Into(child).When(0, inChild);
            writer.Call(wait4, child, Operand.AddressOf(status), 0, 0);
            writer.Call(write, 1, Operand.AddressOf(status, 1), 1); // the exit code
            writer.Call(write, 1, Operand.AddressOf(shared), 1);
            writer.Call(exit_group, 0);
            writer.Mark(inChild);
            writer.Call(getpid).Into(shared);
            Say(writer, "child");
            writer.Call(exit_group, 7);
        });
        Assert.Equal(0, run.ExitCode);
        Assert.Equal([.. "child"u8, 7, 0], run.Output);
    }

    [Theory, MemberData(nameof(Architectures))]
    public void A_program_is_executed_with_its_arguments_and_environment_after_candidates_that_are_missing(Architecture architecture)
    {
        ToolRun run = new ImageRunner(architecture).Run(writer =>
        {
            Operand arguments = Operand.Texts(["sh", "-c", "echo \"$0|$1|$NAME\"; exit 5", "zero", "one two"]), environment = Operand.Texts(["NAME=a value"]);
            Label next = new("next");
            writer.Call(execve, "/nowhere/sh", arguments, environment).When(-(int)Errno.ENOENT, next);
            writer.Mark(next);
            writer.Call(execve, "/bin/sh", arguments, environment);
        });
        Assert.Equal(("zero|one two|a value\n", 5), (run.Text, run.ExitCode));
    }

    private static void Say(PlanWriter writer, string text) => writer.Call(write, 1, Operand.Content(text), Encoding.UTF8.GetByteCount(text));
}
