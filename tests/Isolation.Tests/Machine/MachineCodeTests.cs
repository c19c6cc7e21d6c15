using System.Globalization;
using System.Runtime.InteropServices;
using Isolation.Launch;

namespace Isolation.Tests;

/// <summary>The bytes in the source are what the assembly source says.</summary>
public class MachineCodeTests
{
    public static TheoryData<Architecture> Architectures => [Architecture.X64, Architecture.Arm64];

    [Theory, MemberData(nameof(Architectures))]
    public void Bytes_are_those_of_the_source_assembled_anew(Architecture architecture)
    {
        using TemporaryDirectory directory = new();
        Assemble(architecture, directory["interpreter.o"]);
        ToolRun.OfTool(Tool(architecture, "objcopy"), Package(architecture), "-O", "binary", "-j", ".text", directory["interpreter.o"], directory["interpreter.bin"]);
        byte[] assembled = File.ReadAllBytes(directory["interpreter.bin"]);
        Assert.Equal(Convert.ToHexString(assembled), Convert.ToHexString(MachineCode.For(architecture)));
    }

    [Theory, MemberData(nameof(Architectures))]
    public void The_trampoline_and_the_entry_are_where_the_launcher_looks_for_them(Architecture architecture)
    {
        using TemporaryDirectory directory = new();
        Assemble(architecture, directory["interpreter.o"]);
        string symbols = ToolRun.OfTool(Tool(architecture, "nm"), Package(architecture), directory["interpreter.o"]).Text;
        Assert.Equal(MachineCode.Trampoline, OffsetOf(symbols, "trampoline"));
        Assert.Equal(0, OffsetOf(symbols, "entry"));
    }

    private static int OffsetOf(string symbols, string name)
    {
        string line = symbols.Split('\n').Single(line => line.EndsWith(" t " + name, StringComparison.Ordinal));
        return int.Parse(line.Split(' ')[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
    }

    private static void Assemble(Architecture architecture, string target)
    {
        bool x64 = architecture == Architecture.X64;
        string source = SourceTree.PathOf($"src/Isolation/Launch/Machine/interpreter.{(x64 ? "x64" : "arm64")}.s");
        string[] arguments = x64 ? ["--64", source, "-o", target] : [source, "-o", target];
        ToolRun.OfTool(Tool(architecture, "as"), Package(architecture), arguments);
    }

    private static string Tool(Architecture architecture, string name) =>
        architecture == RuntimeInformation.ProcessArchitecture ? name
        : (architecture == Architecture.X64 ? "x86_64-linux-gnu-" : "aarch64-linux-gnu-") + name;

    private static string Package(Architecture architecture) =>
        architecture == RuntimeInformation.ProcessArchitecture ? "binutils"
        : architecture == Architecture.X64 ? "binutils-x86-64-linux-gnu" : "binutils-aarch64-linux-gnu";
}
