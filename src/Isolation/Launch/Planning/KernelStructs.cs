using System.Buffers.Binary;

namespace Isolation.Launch;

/// <summary>Structures that steps hand to the kernel, as bytes with a text for people.</summary>
internal static class KernelStructs
{
    /// <summary><c>struct open_how</c>, openat2(2).</summary>
    internal static Operand OpenHow(ulong flags, ulong mode, ulong resolve, string display) =>
        Operand.Bytes(Words(flags, mode, resolve), display);

    /// <summary><c>struct mount_attr</c>, mount_setattr(2).</summary>
    internal static Operand MountAttr(uint set, ulong propagation, string display, uint clear = 0) =>
        Operand.Bytes(Words(set, clear, propagation, 0), display);

    internal static byte[] Words(params ReadOnlySpan<ulong> words)
    {
        byte[] bytes = new byte[words.Length * 8];
        for (int i = 0; i < words.Length; i++) BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(8 * i), words[i]);
        return bytes;
    }
}
