using System.Runtime.InteropServices;
using Isolation.Launch;

namespace Isolation.Tests;

public class ElfImageTests
{
    public static TheoryData<Architecture> Architectures => [Architecture.X64, Architecture.Arm64];

    [Theory, MemberData(nameof(Architectures))]
    public void Readelf_accepts_the_file(Architecture architecture)
    {
        using TemporaryDirectory directory = new();
        byte[] data = new byte[777];
        File.WriteAllBytes(directory["image"], ElfImage.Wrap(data, architecture));
        ToolRun run = ToolRun.OfTool("readelf", "binutils", "-lhW", directory["image"]);
        Assert.Equal("", run.Errors);
        string[] lines = [.. run.Text.Split('\n').Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries)))];
        Assert.Contains("Type: EXEC (Executable file)", lines);
        Assert.Contains("Class: ELF64", lines);
        Assert.Contains(architecture == Architecture.X64 ? "Machine: Advanced Micro Devices X86-64" : "Machine: AArch64", lines);
        Assert.Contains("Entry point address: 0x400100", lines);
        string code = $"0x{0x100 + MachineCode.For(architecture).Length:x6}";
        Assert.Contains($"LOAD 0x000000 0x0000000000400000 0x0000000000400000 {code} {code} R E 0x10000", lines);
        Assert.Contains("LOAD 0x001000 0x0000000000411000 0x0000000000411000 0x000309 0x000309 RW 0x10000", lines);
        Assert.Contains("GNU_STACK 0x000000 0x0000000000000000 0x0000000000000000 0x000000 0x000000 RW 0x10", lines.Select(line => line.Replace("0x10000", "0x10", StringComparison.Ordinal)));
        Assert.Single(lines, line => line.Contains(" R E ", StringComparison.Ordinal));
    }

    [Theory, MemberData(nameof(Architectures))]
    public void Code_and_data_are_in_the_file_and_each_segment_is_where_pages_of_any_size_can_map_it(Architecture architecture)
    {
        byte[] data = [.. Enumerable.Range(0, 5000).Select(i => (byte)(i * 7))];
        byte[] file = ElfImage.Wrap(data, architecture);
        Assert.Equal(MachineCode.For(architecture).ToArray(), file[0x100..(0x100 + MachineCode.For(architecture).Length)]);
        Assert.Equal(data, file[0x1000..]);
        Assert.Equal(0x1000u % 0x10000, MachineCode.ImageBase % 0x10000); // elf(5): offset and address agree modulo the alignment
    }
}
