using System.Text;

namespace Isolation.Images.Tests;

/// <summary>
/// Makes archives that are nearly right: headers are changed field by field and their checksums put right, so that what reads them goes
/// on beyond the first check. The same seed makes the same changes.
/// </summary>
internal sealed class ArchiveMutator(int seed)
{
    private static readonly (int At, int Length)[] Fields =
    [
        (0, 100), (100, 8), (108, 8), (116, 8), (124, 12), (136, 12), (156, 1), (157, 100), (257, 8), (329, 8), (337, 8), (345, 155), (386, 24), (482, 1), (483, 12),
    ];

    private static readonly string[] Texts =
    [
        "..", "/", ".", "", "../outside", "/../outside", "a", "a/b", "link", "link/outside", "link/../outside", ".wh..wh..opq", ".wh.a", ".wh..", "a/.wh.b", "./", "a/", "////", "\u00ff\u00fe",
    ];

    private readonly Random _random = new(seed);

    internal byte[] Mutate(byte[] archive)
    {
        List<byte[]> blocks = [.. archive.Chunk(TarReader.BlockSize).Select(block => (byte[])block.Clone())];
        for (int changes = _random.Next(1, 6); changes > 0 && blocks.Count > 0; changes--)
        {
            int at = _random.Next(blocks.Count);
            switch (_random.Next(10))
            {
                case 0: blocks.RemoveAt(at); break;
                case 1: blocks.Insert(_random.Next(blocks.Count + 1), (byte[])blocks[at].Clone()); break;
                case 2: (blocks[at], blocks[^1]) = (blocks[^1], blocks[at]); break;
                case 3: blocks.RemoveRange(at, _random.Next(blocks.Count - at)); break;
                case 4: ChangeText(blocks[at]); break;
                default: ChangeHeader(blocks); break;
            }
        }

        byte[] result = [.. blocks.SelectMany(block => block)];
        return _random.Next(20) == 0 ? result[.._random.Next(result.Length + 1)] : result;
    }

    private void ChangeHeader(List<byte[]> blocks)
    {
        byte[][] headers = [.. blocks.Where(IsHeader)];
        if (headers.Length == 0) return;
        byte[] header = headers[_random.Next(headers.Length)];
        (int at, int length) = Fields[_random.Next(Fields.Length)];
        Span<byte> field = header.AsSpan(at, Math.Min(length, header.Length - at));
        switch (_random.Next(6))
        {
            case 0: Fill(field, Texts[_random.Next(Texts.Length)]); break;
            case 1: Fill(field, Convert.ToString(_random.NextInt64(1L << _random.Next(1, 62)), 8)); break;
            case 2: _random.NextBytes(field); break;
            case 3:
                field.Fill((byte)(_random.Next(2) * 0xff));
                field[0] = (byte)(0x80 | _random.Next(0x80)); // base 256
                break;
            case 4: headers[_random.Next(headers.Length)].AsSpan(at, field.Length).CopyTo(field); break;
            default: field[0] = (byte)"0123456789LKxgSVMDNXA\0"[_random.Next(22)]; break;
        }

        PutChecksum(header);
    }

    /// <summary>Of an extended header, or of a content.</summary>
    private void ChangeText(byte[] block)
    {
        for (int i = _random.Next(1, 5); i > 0; i--)
        {
            int at = _random.Next(block.Length);
            if (_random.Next(2) == 0) block[at] = (byte)_random.Next(256);
            else Fill(block.AsSpan(at, Math.Min(12, block.Length - at)), (string[])["=", "\n", "0", "99999999999", "-1", "SCHILY.xattr", "path=../", "size=0", "GNU.sparse.", "1,1,1"] is var texts ? texts[_random.Next(texts.Length)] : "");
        }
    }

    private static void Fill(Span<byte> field, string text)
    {
        byte[] bytes = Encoding.Latin1.GetBytes(text);
        bytes.AsSpan(0, Math.Min(bytes.Length, field.Length)).CopyTo(field);
        if (bytes.Length < field.Length) field[bytes.Length] = 0;
    }

    private static bool IsHeader(byte[] block) => block.Length == TarReader.BlockSize && block[148] is (byte)'0' or (byte)' ' && block[0] != 0;

    private static void PutChecksum(byte[] block)
    {
        block.AsSpan(148, 8).Fill((byte)' ');
        Encoding.ASCII.GetBytes($"{Convert.ToString(block.Sum(value => value), 8).PadLeft(6, '0')}\0").CopyTo(block, 148);
    }
}
