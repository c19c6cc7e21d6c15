using System.Buffers.Binary;
using System.Text;
using Isolation.Launch;

namespace Isolation.Tests;

/// <summary>Reads the data segment of an image back, by the description in <c>interpreter.x64.s</c> and by nothing else.</summary>
internal sealed class ImageReader(byte[] image, ulong imageBase = MachineCode.ImageBase)
{
    internal int Length => image.Length;

    internal int Number(int step) => Word(step, 0);

    /// <summary>The offset of the slot of an operand, 0 to 5.</summary>
    internal int OperandOffset(int step, int operand) => Word(step, 1 + operand);

    internal long Operand(int step, int operand) => Long(OperandOffset(step, operand));

    internal int ResultOffset(int step) => Word(step, 7);

    internal int ExpectedOffset(int step) => Word(step, 8);

    internal long Expected(int step) => Long(ExpectedOffset(step));

    /// <summary>The index of the step that an expected result goes to.</summary>
    internal int OnExpected(int step) => Index(Word(step, 9));

    /// <summary>The index of the step that an error goes to.</summary>
    internal int OnError(int step) => Index(Word(step, 10));

    internal long Long(int offset) => BinaryPrimitives.ReadInt64LittleEndian(image.AsSpan(offset, 8));

    /// <summary>The offset in the image of an address that the kernel would be given.</summary>
    internal int OffsetOf(long address)
    {
        long offset = address - (long)imageBase;
        Assert.InRange(offset, 0, image.Length - 1);
        return (int)offset;
    }

    internal string Text(long address)
    {
        ReadOnlySpan<byte> from = image.AsSpan(OffsetOf(address));
        int length = from.IndexOf((byte)0);
        Assert.True(length >= 0, "The text has no end.");
        return Encoding.UTF8.GetString(from[..length]);
    }

    internal byte[] Bytes(long address, int length) => image.AsSpan(OffsetOf(address), length).ToArray();

    internal List<string> Texts(long address)
    {
        List<string> texts = [];
        for (int at = OffsetOf(address); Long(at) != 0; at += 8) texts.Add(Text(Long(at)));
        return texts;
    }

    private static int Index(int offset)
    {
        (int index, int rest) = Math.DivRem(offset - MachineCode.FirstStep, MachineCode.StepSize);
        Assert.Equal(0, rest);
        return index;
    }

    private int Word(int step, int word) =>
        BinaryPrimitives.ReadInt32LittleEndian(image.AsSpan(MachineCode.FirstStep + step * MachineCode.StepSize + 4 * word, 4));
}
