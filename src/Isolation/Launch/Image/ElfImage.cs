using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Isolation.Launch;

/// <summary>
/// Wraps code and data into the smallest static ELF file that the kernel runs: one segment to execute, one to write,
/// and a stack that is not executable (elf(5)). Segments are aligned to 64 KiB for arm64 kernels with such pages.
/// </summary>
internal static class ElfImage
{
    private const ulong CodeAddress = 0x400000;
    private const int CodeOffset = 0x100;
    private const int DataOffset = 0x1000;

    internal static byte[] Wrap(ReadOnlySpan<byte> data, Architecture architecture)
    {
        ReadOnlySpan<byte> code = MachineCode.For(architecture);
        byte[] file = new byte[DataOffset + data.Length];
        Span<byte> header = file;
        ReadOnlySpan<byte> ident = [0x7f, (byte)'E', (byte)'L', (byte)'F', 2, 1, 1];
        ident.CopyTo(header);
        Write16(header, 16, 2); // ET_EXEC
        Write16(header, 18, architecture == Architecture.X64 ? (ushort)62 : (ushort)183); // EM_X86_64, EM_AARCH64
        Write32(header, 20, 1);
        Write64(header, 24, CodeAddress + CodeOffset); // e_entry
        Write64(header, 32, 64); // e_phoff
        Write16(header, 52, 64); // e_ehsize
        Write16(header, 54, 56); // e_phentsize
        Write16(header, 56, 3); // e_phnum
        Segment(header[64..], type: 1, flags: 5, 0, CodeAddress, CodeOffset + code.Length); // PT_LOAD, R+X
        Segment(header[120..], type: 1, flags: 6, DataOffset, MachineCode.ImageBase, data.Length); // PT_LOAD, R+W
        Segment(header[176..], type: 0x6474e551, flags: 6, 0, 0, 0); // PT_GNU_STACK
        code.CopyTo(header[CodeOffset..]);
        data.CopyTo(header[DataOffset..]);
        return file;
    }

    private static void Segment(Span<byte> header, uint type, uint flags, ulong offset, ulong address, int size)
    {
        Write32(header, 0, type);
        Write32(header, 4, flags);
        Write64(header, 8, offset);
        Write64(header, 16, address);
        Write64(header, 24, address);
        Write64(header, 32, (ulong)size);
        Write64(header, 40, (ulong)size);
        Write64(header, 48, 0x10000);
    }

    private static void Write16(Span<byte> at, int offset, ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(at[offset..], value);

    private static void Write32(Span<byte> at, int offset, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(at[offset..], value);

    private static void Write64(Span<byte> at, int offset, ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(at[offset..], value);
}
