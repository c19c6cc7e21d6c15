using Isolation.Launch;
using Isolation.Linux;
using static Isolation.Linux.SystemCall;

namespace Isolation.Tests;

public class ImageAssemblerTests
{
    public static TheoryData<string> Abis => ["x64", "arm64"];

    [Theory, MemberData(nameof(Abis))]
    public void A_step_names_its_call_by_the_number_of_the_architecture(string name)
    {
        TargetAbi abi = Abi(name);
        ImageReader image = Assemble(abi, writer => writer.Call(setsid), out _);
        Assert.Equal(abi == TargetAbi.X64 ? 112 : 157, image.Number(0));
    }

    [Theory, MemberData(nameof(Abis))]
    public void Operands_come_back_in_their_order_and_the_rest_are_zero(string name)
    {
        ImageReader image = Assemble(Abi(name), writer => writer.Call(recvfrom, -3, 1L << 40, 3u, ulong.MaxValue, 5), out _);
        Assert.Equal([-3, 1L << 40, 3, -1, 5, 0], Enumerable.Range(0, 6).Select(i => image.Operand(0, i)));
    }

    [Fact]
    public void Texts_bytes_and_arrays_are_addresses_of_their_content()
    {
        byte[] data = [1, 2, 3, 4, 5];
        ImageReader image = Assemble(TargetAbi.X64, writer =>
        {
            writer.Call(execve, "/bin/žluť", Operand.Texts(["a", "", "b=c"]), Operand.Texts([]));
            writer.Call(write, 1, Operand.Bytes(data, "five"), 5);
            writer.Call(write, 1, Operand.Content("no end"), 6);
        }, out _);
        Assert.Equal("/bin/žluť", image.Text(image.Operand(0, 0)));
        Assert.Equal(["a", "", "b=c"], image.Texts(image.Operand(0, 1)));
        Assert.Empty(image.Texts(image.Operand(0, 2)));
        Assert.Equal(data, image.Bytes(image.Operand(1, 1), 5));
        Assert.Equal("no end"u8.ToArray(), image.Bytes(image.Operand(2, 1), 6));
        Assert.All([image.Operand(0, 1), image.Operand(0, 2), image.Operand(1, 1)], address => Assert.Equal(0, address % 8));
    }

    [Fact]
    public void Addresses_follow_the_base_that_the_image_is_mapped_at()
    {
        const ulong elsewhere = 0x7f00_0000_0000;
        byte[] bytes = ImageAssembler.Assemble(Plan(writer => writer.Call(chdir, "/here")), TargetAbi.X64, elsewhere);
        ImageReader image = new(bytes, elsewhere);
        Assert.Equal("/here", image.Text(image.Operand(0, 0)));
    }

    [Fact]
    public void A_slot_is_one_place_for_its_writer_and_its_readers()
    {
        Slot buffer = new("buffer", 20), count = new("count");
        ImageReader image = Assemble(TargetAbi.X64, writer =>
        {
            writer.Call(read, 0, Operand.AddressOf(buffer), 20).Into(count);
            writer.Call(write, 1, Operand.AddressOf(buffer, 4), count);
            writer.Call(setsid);
        }, out LaunchPlan plan);
        Assert.Equal(image.ResultOffset(0), image.OperandOffset(1, 2));
        Assert.Equal(image.Operand(0, 1) + 4, image.Operand(1, 1));

        // Neither lies in the steps, in the other, nor where results go that nobody needs.
        int steps = MachineCode.FirstStep + plan.Steps.Count * MachineCode.StepSize;
        int bufferOffset = image.OffsetOf(image.Operand(0, 1));
        Assert.InRange(bufferOffset, steps, image.Length - 24);
        Assert.False(image.ResultOffset(0) >= bufferOffset && image.ResultOffset(0) < bufferOffset + 24);
        Assert.NotEqual(image.ResultOffset(0), image.ResultOffset(2));
        Assert.Equal(image.ResultOffset(1), image.ResultOffset(2));
    }

    [Fact]
    public void What_is_written_lies_on_one_page_however_many_steps_there_are()
    {
        const int Page = 4096;
        for (int steps = 80; steps < 200; steps++)
        {
            Slot buffer = new("buffer", 200), count = new("count");
            int more = steps;
            ImageReader image = Assemble(TargetAbi.X64, writer =>
            {
                writer.Call(read, 0, Operand.AddressOf(buffer), 200).Into(count);
                for (int i = 1; i < more; i++) writer.Call(setsid);
            }, out _);
            int[] offsets = [image.ResultOffset(0), image.ResultOffset(1) + 7, image.OffsetOf(image.Operand(0, 1)), image.OffsetOf(image.Operand(0, 1)) + 199];
            Assert.Single(offsets.Select(offset => offset / Page).Distinct());
        }
    }

    [Fact]
    public void The_fault_record_is_at_the_base()
    {
        ImageReader image = Assemble(TargetAbi.X64, writer => writer.Call(write, 1, Operand.AddressOf(FailureSteps.FaultRecord), 16), out _);
        Assert.Equal(MachineCode.ImageBase, image.Operand(0, 1));
    }

    [Fact]
    public void Branches_go_to_their_labels_and_without_any_on_or_to_the_failure()
    {
        Label back = new("back"), ahead = new("ahead");
        ImageReader image = Assemble(TargetAbi.X64, writer =>
        {
            writer.Mark(back);
            writer.Call(setsid);                                       // 0
            writer.Call(setsid).When(7, ahead).OnErrorGo(back);        // 1
            writer.Call(chdir, "/").Tolerate(Errno.ENOENT);            // 2
            writer.Mark(ahead);
            writer.Call(chdir, "/").IgnoreErrors();                    // 3
        }, out LaunchPlan plan);
        Assert.Equal(4, plan.FailureIndex);
        Assert.Equal((1, 4), (image.OnExpected(0), image.OnError(0)));
        Assert.Equal((3, 0), (image.OnExpected(1), image.OnError(1)));
        Assert.Equal((3, 4), (image.OnExpected(2), image.OnError(2)));
        Assert.Equal((4, 4), (image.OnExpected(3), image.OnError(3)));
        Assert.Equal([long.MinValue, 7, -2, long.MinValue], Enumerable.Range(0, 4).Select(image.Expected));
    }

    [Fact]
    public void Equal_constants_and_equal_texts_are_kept_once()
    {
        ImageReader image = Assemble(TargetAbi.X64, writer =>
        {
            writer.Call(mkdirat, 5, "name", 5);
            writer.Call(mkdirat, 6, "name", 5);
        }, out _);
        Assert.Equal(image.OperandOffset(0, 0), image.OperandOffset(0, 2));
        Assert.Equal(image.OperandOffset(0, 0), image.OperandOffset(1, 2));
        Assert.NotEqual(image.OperandOffset(0, 0), image.OperandOffset(1, 0));
        Assert.Equal(image.OperandOffset(0, 1), image.OperandOffset(1, 1));
    }

    [Fact]
    public void A_number_that_equals_the_offset_of_a_text_stays_a_number()
    {
        // Offsets of texts and numbers share a pool of constants; 0 is both here.
        ImageReader image = Assemble(TargetAbi.X64, writer => writer.Call(mkdirat, 0, "first", 0), out _);
        Assert.Equal(0, image.Operand(0, 0));
        Assert.Equal("first", image.Text(image.Operand(0, 1)));
    }

    [Fact]
    public void A_label_that_stands_nowhere_is_refused_by_name()
    {
        LaunchPlan plan = Plan(writer => writer.Call(setsid).OnErrorGo(new Label("nowhere")));
        InvalidOperationException exception = Assert.Throws<InvalidOperationException>(() => ImageAssembler.Assemble(plan, TargetAbi.X64));
        Assert.Contains("'nowhere'", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_label_that_stands_twice_is_refused_by_name()
    {
        PlanWriter writer = new(TargetAbi.X64);
        Label label = new("twice");
        writer.Mark(label);
        Assert.Contains("'twice'", Assert.Throws<InvalidOperationException>(() => writer.Mark(label)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Branches_put_off_stand_behind_all_else_and_before_the_failure()
    {
        Label later = new("later"), on = new("on");
        LaunchPlan plan = Plan(writer =>
        {
            writer.Call(setsid).OnErrorGo(later);
            writer.Later(() =>
            {
                writer.Mark(later);
                writer.Call(umask, 0).When(0, on);
            });
            writer.Mark(on);
            writer.Call(fchdir, 3);
        });
        Assert.Equal([setsid, fchdir, umask, exit_group], plan.Steps.Select(step => step.Call));
        Assert.Equal((1, 2, 3), (on.Index, later.Index, plan.FailureIndex));
    }

    private static TargetAbi Abi(string name) => name == "x64" ? TargetAbi.X64 : TargetAbi.Arm64;

    private static LaunchPlan Plan(Action<PlanWriter> steps)
    {
        PlanWriter writer = new(TargetAbi.X64);
        steps(writer);
        return writer.Finish(failure => failure.Call(exit_group, 1));
    }

    private static ImageReader Assemble(TargetAbi abi, Action<PlanWriter> steps, out LaunchPlan plan)
    {
        plan = Plan(steps);
        return new(ImageAssembler.Assemble(plan, abi));
    }
}
