using SharpFuzz;

namespace Isolation.Fuzz;

/// <summary>What afl-fuzz(1) runs: a target, on the input that it gives. Called by hand it makes seeds, or tries one input again.</summary>
internal static class Program
{
    private static int Main(string[] arguments)
    {
        switch (arguments)
        {
            case ["seeds", string directory]:
                Seeds.Write(directory);
                return 0;
            case ["try", string name, string file] when Targets.All.TryGetValue(name, out Action<byte[]>? target):
                target(File.ReadAllBytes(file));
                return 0;
            case [string name] when Targets.All.TryGetValue(name, out Action<byte[]>? target):
                Fuzzer.Run(stream =>
                {
                    using MemoryStream input = new();
                    stream.CopyTo(input);
                    target(input.ToArray());
                });
                return 0;
            default:
                Console.Error.WriteLine($"Usage: seeds DIRECTORY | try TARGET FILE | TARGET, where TARGET is one of {string.Join(", ", Targets.All.Keys)}");
                return 2;
        }
    }
}
