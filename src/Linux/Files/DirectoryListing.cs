using System.Buffers.Binary;

namespace Isolation.Linux;

/// <summary>The names in a directory (getdents64(2)), without <c>.</c> and <c>..</c>.</summary>
internal static class DirectoryListing
{
    private const int BufferSize = 32 << 10;
    private const int LengthOffset = 16, NameOffset = 19; // struct linux_dirent64

    /// <summary>Reads to the end, or until there are more than allowed: a directory can grow for as long as it is read.</summary>
    /// <param name="directory">Open for reading, at its start.</param>
    /// <param name="most">How many names are allowed.</param>
    /// <param name="names">Each ended by a NUL, in the file system's order.</param>
    /// <returns>0 or -errno; EOVERFLOW where there are more.</returns>
    internal static unsafe nint TryRead(FileDescriptor directory, long most, out List<byte[]> names)
    {
        names = [];
        byte[] buffer = new byte[BufferSize];
        using var held = directory.Hold();
        while (true)
        {
            nint count;
            fixed (byte* bytes = buffer) count = Syscall.InvokeRetrying(SystemCall.getdents64, held.Number, (nint)bytes, BufferSize);
            if (count <= 0) return count;
            for (int offset = 0; offset < count;)
            {
                int length = BinaryPrimitives.ReadUInt16LittleEndian(buffer.AsSpan(offset + LengthOffset));
                ReadOnlySpan<byte> name = buffer.AsSpan(offset + NameOffset, length - NameOffset);
                name = name[..(name.IndexOf((byte)0) + 1)];
                offset += length;
                // The kernel lets no file system answer with a slash (verify_dirent_name, fs/readdir.c, Linux 5.5); if one does, it is left out.
                if (name.SequenceEqual(".\0"u8) || name.SequenceEqual("..\0"u8) || name.Contains((byte)'/')) continue;
                if (names.Count >= most) return -(int)Errno.EOVERFLOW;
                names.Add(name.ToArray());
            }
        }
    }
}
