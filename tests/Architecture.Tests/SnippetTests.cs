using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Isolation.Architecture.Tests;

/// <summary>
/// Every block of C# in the documents is a program that compiles against the public surface. A block
/// that opens with <c>csharp continues</c> goes on where the block before it in the same file ended.
/// </summary>
public sealed partial class SnippetTests
{
    public static TheoryData<string, int> Snippets =>
        [.. Documents().SelectMany(path => Extract(File.ReadAllLines(path)).Select(snippet => (Repository.RelativePath(path), snippet.Line)))];

    [Theory, MemberData(nameof(Snippets))]
    public void A_snippet_compiles(string document, int line)
    {
        Snippet snippet = Extract(File.ReadAllLines(Path.Combine(Repository.Root, document))).Single(candidate => candidate.Line == line);
        ImmutableArray<Diagnostic> errors = Compile(snippet.Source);
        Assert.True(errors.IsEmpty, $"{document}:{line}\n{string.Join('\n', errors)}\n\n{snippet.Source}");
    }

    [Fact]
    public void The_readme_shows_code() =>
        Assert.NotEmpty(Extract(File.ReadAllLines(Path.Combine(Repository.Root, "README.md"))));

    [Fact]
    public void A_snippet_that_does_not_compile_is_seen() => Assert.NotEmpty(Compile("await new NoSuchType().RunAsync();"));

    [Fact]
    public void A_snippet_may_await_and_continue()
    {
        Snippet[] snippets = [.. Extract(["```csharp", "int one = 1;", "```", "text", "```csharp continues", "await Task.Delay(one);", "```"])];
        Assert.Equal([2, 6], snippets.Select(snippet => snippet.Line));
        Assert.All(snippets, snippet => Assert.Empty(Compile(snippet.Source)));
    }

    private sealed record Snippet(int Line, string Source);

    private static IEnumerable<string> Documents() =>
        new[] { "README.md", "CONTRIBUTING.md" }.Select(name => Path.Combine(Repository.Root, name)).Where(File.Exists)
            .Concat(new[] { "docs", "src" }.Select(name => Path.Combine(Repository.Root, name)).Where(Directory.Exists)
                .SelectMany(folder => Repository.Files(folder, "*.md")))
            .Order(StringComparer.Ordinal);

    private static IEnumerable<Snippet> Extract(string[] lines)
    {
        string before = "";
        for (int at = 0; at < lines.Length; at++)
        {
            Match fence = Fence().Match(lines[at]);
            if (!fence.Success)
            {
                continue;
            }

            int end = Array.FindIndex(lines, at + 1, line => line.TrimStart().StartsWith("```", StringComparison.Ordinal));
            string source = string.Join('\n', lines[(at + 1)..(end < 0 ? lines.Length : end)]);
            before = fence.Groups["continues"].Success ? before + "\n" + source : source;
            yield return new Snippet(at + 2, before);
            at = end < 0 ? lines.Length : end;
        }
    }

    private static ImmutableArray<Diagnostic> Compile(string source)
    {
        // What a console project with implicit usings sees, and our own namespace.
        const string Usings = """
            global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq;
            global using System.Net.Http; global using System.Threading; global using System.Threading.Tasks; global using Isolation;
            """;
        var options = new CSharpParseOptions(LanguageVersion.Latest);
        // A namespace exists once something declares it; this keeps the using valid in every state of the tree.
        const string Namespace = "namespace Isolation { }";
        string[] platform = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator);
        return [.. CSharpCompilation.Create(
                "Snippet",
                [CSharpSyntaxTree.ParseText(source, options), CSharpSyntaxTree.ParseText(Usings, options), CSharpSyntaxTree.ParseText(Namespace, options)],
                platform.Select(path => MetadataReference.CreateFromFile(path)),
                new CSharpCompilationOptions(OutputKind.ConsoleApplication, nullableContextOptions: NullableContextOptions.Enable))
            .GetDiagnostics(TestContext.Current.CancellationToken)
            .Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error)];
    }

    [GeneratedRegex("^\\s*```csharp(?<continues>\\s+continues)?\\s*$")]
    private static partial Regex Fence();
}
