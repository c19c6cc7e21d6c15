using System.Collections.Frozen;

namespace Isolation.Architecture.Tests;

/// <summary>
/// Who may know whom. Siblings never meet, and the floor knows nobody. A project under src/ without a
/// row here fails the tests: its place is decided before its code is.
/// </summary>
internal static class Arrows
{
    public static FrozenDictionary<string, string[]> MayReference { get; } = new Dictionary<string, string[]>
    {
        ["Linux"] = [],
        ["Cgroups"] = ["Linux"],
        ["UnionFs"] = ["Linux"],
        ["Networking"] = ["Linux"],
        ["Images"] = ["Linux", "UnionFs"],
        ["Isolation"] = ["Linux", "Cgroups", "UnionFs", "Networking", "Images"],
    }.ToFrozenDictionary();

    /// <summary>Where <c>unsafe</c> and P/Invoke may stand: the floor, and the launch engine.</summary>
    public static string[] UnsafeRooms { get; } = ["src/Linux/", "src/Isolation/Launch/"];

    public static string AssemblyName(string project) => project == "Isolation" ? "Isolation" : $"Isolation.{project}";

    public static string ProjectName(string assembly) => assembly == "Isolation" ? "Isolation" : assembly["Isolation.".Length..];
}
