using System.Collections.Immutable;

namespace Isolation;

/// <summary>Puts instructions together that jump to places by name. A comparison reaches 255 instructions far: where that is not enough, jumps without a condition are put behind it.</summary>
internal sealed class BpfAssembler
{
    private const int Reach = byte.MaxValue;
    private readonly List<(ushort Code, uint Operand, BpfLabel? True, BpfLabel? False)> _nodes = [];

    internal void Load(int offset) => _nodes.Add((BpfInstruction.Load, (uint)offset, null, null));

    internal void And(uint mask) => _nodes.Add((BpfInstruction.And, mask, null, null));

    internal void Return(uint value) => _nodes.Add((BpfInstruction.Return, value, null, null));

    /// <param name="code">Which comparison.</param>
    /// <param name="operand">With what.</param>
    /// <param name="holds">Where it goes on where that holds; null for the next instruction.</param>
    /// <param name="fails">And where it does not.</param>
    internal void Compare(ushort code, uint operand, BpfLabel? holds, BpfLabel? fails) => _nodes.Add((code, operand, holds, fails));

    internal void Mark(BpfLabel label) => label.Node = _nodes.Count;

    internal ImmutableArray<BpfInstruction> Assemble()
    {
        bool[] farTrue = new bool[_nodes.Count], farFalse = new bool[_nodes.Count];
        int[] places = new int[_nodes.Count + 1];
        for (bool grew = true; grew;)
        {
            // What is once found to be far stays so: places only move apart.
            grew = false;
            for (int i = 0; i < _nodes.Count; i++) places[i + 1] = places[i] + 1 + (farTrue[i] ? 1 : 0) + (farFalse[i] ? 1 : 0);
            for (int i = 0; i < _nodes.Count; i++)
            {
                grew |= IsNewlyFar(i, _nodes[i].True, farTrue) | IsNewlyFar(i, _nodes[i].False, farFalse);
            }
        }

        ImmutableArray<BpfInstruction>.Builder program = ImmutableArray.CreateBuilder<BpfInstruction>(places[^1]);
        for (int i = 0; i < _nodes.Count; i++)
        {
            (ushort code, uint operand, BpfLabel? holds, BpfLabel? fails) = _nodes[i];
            int next = places[i] + 1, after = places[i + 1];
            int ifTrue = farTrue[i] ? 0 : (holds is null ? after : places[holds.Node]) - next;
            int ifFalse = farFalse[i] ? (farTrue[i] ? 1 : 0) : (fails is null ? after : places[fails.Node]) - next;
            bool compares = code is BpfInstruction.JumpEqual or BpfInstruction.JumpGreater or BpfInstruction.JumpGreaterOrEqual or BpfInstruction.JumpSet;
            program.Add(new(code, compares ? checked((byte)ifTrue) : (byte)0, compares ? checked((byte)ifFalse) : (byte)0, operand));
            if (farTrue[i]) program.Add(new(BpfInstruction.Jump, 0, 0, (uint)(places[holds!.Node] - program.Count - 1)));
            if (farFalse[i]) program.Add(new(BpfInstruction.Jump, 0, 0, (uint)(places[fails!.Node] - program.Count - 1)));
        }

        return program.MoveToImmutable();

        bool IsNewlyFar(int node, BpfLabel? label, bool[] far)
        {
            if (label is null || far[node] || places[label.Node] - places[node] - 1 <= Reach) return false;
            return far[node] = true;
        }
    }
}

/// <summary>A place in a program that is put together.</summary>
internal sealed class BpfLabel
{
    internal int Node { get; set; } = -1;
}
