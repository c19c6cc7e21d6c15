using System.Buffers.Binary;
using Isolation.Launch;

namespace Isolation.Tests;

/// <summary>A message is known by its length; each length means one thing.</summary>
public class ChannelMessagesTests
{
    [Fact]
    public void One_byte_is_a_note()
    {
        ChannelMessages messages = new();
        Assert.Null(messages.Notes);
        Assert.Equal(0, messages.Add([3]));
        messages.Add([200]);
        Assert.Equal([3, 200], messages.Notes);
        Assert.Null(messages.Fault);
    }

    [Fact]
    public void Eight_bytes_are_a_process()
    {
        ChannelMessages messages = new();
        Assert.Equal(4194303, messages.Add(Words(4194303)));
        Assert.Null(messages.Notes);
    }

    [Theory]
    [InlineData(0), InlineData(1), InlineData(250)]
    public void Sixteen_bytes_are_a_fault_at_a_step(int step)
    {
        ChannelMessages messages = new();
        Assert.Equal(0, messages.Add(Words(MachineCode.FirstStep + step * MachineCode.StepSize, -13)));
        Assert.Equal((step, -13), messages.Fault);
    }

    [Theory]
    [InlineData(0, false), InlineData(-13, true)]
    public void Twenty_four_bytes_say_whether_a_candidate_was_denied(long first, bool denied)
    {
        ChannelMessages messages = new();
        messages.Add(Words(first, 0, 0));
        Assert.Equal((denied, false), (messages.ProgramDenied, messages.ProgramPresent));
    }

    [Theory]
    [InlineData(0, false), InlineData(-13, true)]
    public void Twenty_bytes_say_that_a_candidate_is_there_and_whether_one_was_denied(long first, bool denied)
    {
        ChannelMessages messages = new();
        messages.Add(Words(first, 0, 0).AsSpan(0, 20));
        Assert.Equal((denied, !denied), (messages.ProgramDenied, messages.ProgramPresent));
    }

    [Fact]
    public void Every_length_that_a_plan_sends_is_another_one_and_fits()
    {
        int[] lengths = [1, 8, MachineCode.FirstStep, ExecSteps.PresentSize, ExecSteps.DeniedSize];
        Assert.Equal(lengths.Length, lengths.Distinct().Count());
        Assert.All(lengths, length => Assert.InRange(length, 1, ChannelMessages.Longest));
    }

    private static byte[] Words(params long[] words)
    {
        byte[] bytes = new byte[words.Length * 8];
        for (int i = 0; i < words.Length; i++) BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(8 * i), words[i]);
        return bytes;
    }
}
