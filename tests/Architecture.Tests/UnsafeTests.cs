using System.Xml.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Isolation.Architecture.Tests;

/// <summary>Code that the runtime cannot check stands in two rooms, where a reviewer looks for it.</summary>
public sealed class UnsafeTests
{
    [Fact]
    public void Unsafe_code_and_foreign_calls_stand_in_their_rooms_only()
    {
        string[] strays = [.. Repository.Files(Path.Combine(Repository.Root, "src"), "*.cs")
            .Where(path => !Arrows.UnsafeRooms.Any(room => Repository.RelativePath(path).StartsWith(room, StringComparison.Ordinal)))
            .SelectMany(FindUnsafe)];
        Assert.True(strays.Length == 0, $"allowed only under {string.Join(" and ", Arrows.UnsafeRooms)}:\n{string.Join('\n', strays)}");
    }

    [Fact]
    public void A_project_without_such_a_room_does_not_allow_unsafe_blocks()
    {
        string[] strays = [.. Repository.Projects("src")
            .Where(path => !Arrows.UnsafeRooms.Any(room => room.StartsWith(Repository.RelativePath(Path.GetDirectoryName(path)!) + "/", StringComparison.Ordinal)))
            .Where(path => XDocument.Load(path).Descendants("AllowUnsafeBlocks").Any())
            .Select(Repository.RelativePath)];
        Assert.Empty(strays);
    }

    [Theory]
    [InlineData("unsafe class C;")]
    [InlineData("class C { void M() { unsafe { } } }")]
    [InlineData("class C { delegate*<void> f; }")]
    [InlineData("class C { int* p; }")]
    [InlineData("class C { [DllImport(\"c\")] static extern void M(); }")]
    [InlineData("partial class C { [System.Runtime.InteropServices.LibraryImport(\"c\")] static partial void M(); }")]
    public void The_scan_sees(string source) => Assert.NotEmpty(FindUnsafe("probe.cs", source));

    [Theory]
    [InlineData("// unsafe, DllImport\nclass C { string s = \"unsafe delegate*\"; int M(int a, int b) => a * b; }")]
    public void The_scan_passes_over(string source) => Assert.Empty(FindUnsafe("probe.cs", source));

    private static IEnumerable<string> FindUnsafe(string path) => FindUnsafe(Repository.RelativePath(path), File.ReadAllText(path));

    private static IEnumerable<string> FindUnsafe(string name, string source)
    {
        SyntaxNode root = CSharpSyntaxTree.ParseText(source, new CSharpParseOptions(LanguageVersion.Preview)).GetRoot();
        return root.DescendantNodesAndTokens()
            .Where(item => item.IsKind(SyntaxKind.UnsafeKeyword)
                || item.IsKind(SyntaxKind.PointerType)
                || item.IsKind(SyntaxKind.FunctionPointerType)
                || (item.AsNode() is AttributeSyntax attribute && IsForeignCall(attribute)))
            .Select(item => $"{name}:{item.GetLocation()!.GetLineSpan().StartLinePosition.Line + 1}: {item}");
    }

    private static bool IsForeignCall(AttributeSyntax attribute) =>
        attribute.Name.ToString().Split('.')[^1] is "DllImport" or "DllImportAttribute" or "LibraryImport" or "LibraryImportAttribute";
}
