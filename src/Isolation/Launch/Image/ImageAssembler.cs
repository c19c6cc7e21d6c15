using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Isolation.Linux;

namespace Isolation.Launch;

/// <summary>
/// Turns a plan into the data segment of an image: fault record, steps, slots, constants, then strings and structures.
/// Pure. The format of a step is in <c>Machine/interpreter.x64.s</c>.
/// </summary>
internal sealed class ImageAssembler
{
    private readonly LaunchPlan _plan;
    private readonly TargetAbi _abi;
    private readonly ulong _base;
    private readonly Dictionary<Slot, int> _slots = [];
    private readonly Dictionary<(long Value, bool IsAddress), int> _constants = [];
    private readonly Dictionary<string, int> _texts = new(StringComparer.Ordinal);
    private readonly List<byte> _blobs = [];
    private readonly List<(int Position, int Target)> _pointersInBlobs = [];
    private readonly List<Slot> _unwritten = [];
    private int _slotEnd;

    private ImageAssembler(LaunchPlan plan, TargetAbi abi, ulong imageBase)
    {
        (_plan, _abi, _base) = (plan, abi, imageBase);
        _slots.Add(FailureSteps.FaultRecord, 0); // where the interpreter keeps it
        _slotEnd = FirstSlot(plan);
    }

    /// <summary>The data segment of a plan that is mapped at <paramref name="imageBase"/>.</summary>
    /// <exception cref="InvalidOperationException">A label that a step goes to was never placed.</exception>
    internal static byte[] Assemble(LaunchPlan plan, TargetAbi abi, ulong imageBase = MachineCode.ImageBase) =>
        new ImageAssembler(plan, abi, imageBase).Run();

    private byte[] Run()
    {
        // Two slots every image has: where results go that nobody needs, and a value that no system call returns.
        Slot ignored = new("ignored"), never = new("never");
        int ignoredOffset = OffsetOf(ignored), neverOffset = OffsetOf(never);
        foreach (LaunchStep step in _plan.Steps)
        {
            if (step.Result is { } result) OffsetOf(result);
            if (step.ExpectedSlot is { } expectedSlot) OffsetOf(expectedSlot);
            foreach (Operand operand in step.Operands)
                if (operand.Payload is Slot slot) OffsetOf(slot);
        }

        int shift = ShiftOntoOnePage();
        (ignoredOffset, neverOffset) = (ignoredOffset + shift, neverOffset + shift);
        foreach (Slot slot in _unwritten)
        {
            _slots[slot] = _slotEnd;
            _slotEnd += slot.Size;
        }

        // Constants follow the slots and blobs follow the constants; addresses of blobs are known only when all
        // constants are, so words are resolved in two passes: first collect, then write.
        List<Word[]> rows = new(_plan.Steps.Count);
        foreach (LaunchStep step in _plan.Steps)
        {
            Word[] row = new Word[8];
            for (int i = 0; i < 6; i++) row[i] = i < step.Operands.Count ? WordOf(step.Operands[i]) : Constant(0);
            row[6] = Word.At(step.Result is null ? ignoredOffset : _slots[step.Result] + step.ResultOffset);
            row[7] = step.ExpectedSlot is { } slot ? Word.At(_slots[slot]) : step.Expected is { } expected ? Constant(expected) : Word.At(neverOffset);
            rows.Add(row);
        }

        int constantStart = _slotEnd;
        int blobStart = constantStart + _constants.Count * 8;
        byte[] image = new byte[blobStart + _blobs.Count];
        Span<byte> bytes = image;
        for (int i = 0; i < rows.Count; i++)
        {
            LaunchStep step = _plan.Steps[i];
            Span<byte> row = bytes[StepOffset(i)..];
            BinaryPrimitives.WriteInt32LittleEndian(row, _abi.Number(step.Call));
            for (int j = 0; j < 8; j++)
                BinaryPrimitives.WriteInt32LittleEndian(row[(4 + 4 * j)..], rows[i][j].Resolve(constantStart));
            int next = i + 1;
            BinaryPrimitives.WriteInt32LittleEndian(row[36..], StepOffset(Target(step.OnExpected, next)));
            BinaryPrimitives.WriteInt32LittleEndian(row[40..],
                StepOffset(step.IgnoresErrors ? next : Target(step.OnError, _plan.FailureIndex)));
        }

        BinaryPrimitives.WriteInt64LittleEndian(bytes[neverOffset..], long.MinValue);
        foreach ((Slot slot, int offset) in _slots)
        {
            slot.Initial.CopyTo(bytes[offset..]);
            foreach ((int at, Slot target) in slot.Pointers)
                BinaryPrimitives.WriteInt64LittleEndian(bytes[(offset + at)..], (long)_base + _slots[target]);
        }

        foreach (((long value, bool isAddress), int index) in _constants)
        {
            long resolved = isAddress ? (long)_base + blobStart + value : value;
            BinaryPrimitives.WriteInt64LittleEndian(bytes[(constantStart + 8 * index)..], resolved);
        }

        CollectionsMarshal.AsSpan(_blobs).CopyTo(bytes[blobStart..]);
        foreach ((int position, int target) in _pointersInBlobs)
            BinaryPrimitives.WriteInt64LittleEndian(bytes[(blobStart + position)..], (long)_base + blobStart + target);
        return image;
    }

    /// <summary>What is written lies on one page where it fits: each page that is written is copied for each child.</summary>
    private int ShiftOntoOnePage()
    {
        const int Page = 4096;
        int start = FirstSlot(_plan);
        if (_slotEnd - start > Page || start / Page == (_slotEnd - 1) / Page) return 0;
        int shift = Page - start % Page;
        foreach (Slot slot in _slots.Keys.Where(slot => slot != FailureSteps.FaultRecord).ToArray()) _slots[slot] += shift;
        _slotEnd += shift;
        return shift;
    }

    private static int FirstSlot(LaunchPlan plan) => (StepOffset(plan.Steps.Count) + 7) & ~7;

    private static int StepOffset(int index) => MachineCode.FirstStep + index * MachineCode.StepSize;

    private static int Target(Label? label, int otherwise)
    {
        if (label is null) return otherwise;
        return label.Index >= 0 ? label.Index : throw new InvalidOperationException($"The label '{label}' was never placed.");
    }

    private int OffsetOf(Slot slot)
    {
        if (!_slots.TryGetValue(slot, out int offset))
        {
            offset = _slotEnd;
            _slots.Add(slot, offset);
            if (slot.IsUnwritten)
            {
                _unwritten.Add(slot);
                return offset;
            }

            _slotEnd += slot.Size;
            foreach ((_, Slot target) in slot.Pointers) OffsetOf(target);
        }

        return offset;
    }

    private Word WordOf(Operand operand) => operand.Kind switch
    {
        OperandKind.Value => Constant(operand.Number),
        OperandKind.Slot => Word.At(_slots[(Slot)operand.Payload!] + (int)operand.Number),
        OperandKind.SlotAddress => Constant((long)_base + _slots[(Slot)operand.Payload!] + operand.Number),
        OperandKind.Text => Address(Text((string)operand.Payload!)),
        OperandKind.Bytes => Address(Blob((byte[])operand.Payload!)),
        OperandKind.Texts => Address(TextArray((IReadOnlyList<string>)operand.Payload!)),
        _ => throw new InvalidOperationException($"Unknown operand kind {operand.Kind}."),
    };

    private Word Constant(long value) => Pool(value, isAddress: false);

    private Word Address(int blobOffset) => Pool(blobOffset, isAddress: true);

    private Word Pool(long value, bool isAddress)
    {
        if (!_constants.TryGetValue((value, isAddress), out int index))
        {
            index = _constants.Count;
            _constants.Add((value, isAddress), index);
        }

        return Word.Pooled(index);
    }

    private int Blob(ReadOnlySpan<byte> data)
    {
        while (_blobs.Count % 8 != 0) _blobs.Add(0);
        int offset = _blobs.Count;
        _blobs.AddRange(data);
        return offset;
    }

    private int Text(string text)
    {
        if (!_texts.TryGetValue(text, out int offset))
        {
            offset = _blobs.Count;
            _blobs.AddRange(Encoding.UTF8.GetBytes(text));
            _blobs.Add(0);
            _texts.Add(text, offset);
        }

        return offset;
    }

    private int TextArray(IReadOnlyList<string> texts)
    {
        int[] targets = [.. texts.Select(Text)];
        int offset = Blob(new byte[(targets.Length + 1) * 8]);
        for (int i = 0; i < targets.Length; i++) _pointersInBlobs.Add((offset + 8 * i, targets[i]));
        return offset;
    }

    /// <summary>A word of a step: an offset known already, or the place of a constant whose pool has no address yet.</summary>
    private readonly struct Word
    {
        private readonly int _value;
        private readonly bool _pooled;

        private Word(int value, bool pooled) => (_value, _pooled) = (value, pooled);

        internal static Word At(int offset) => new(offset, pooled: false);

        internal static Word Pooled(int index) => new(index, pooled: true);

        internal int Resolve(int constantStart) => _pooled ? constantStart + 8 * _value : _value;
    }
}
