using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Xml.Linq;

namespace Isolation.Architecture.Tests;

public sealed class ArrowTests
{
    public static TheoryData<string> SourceProjects => [.. Repository.Projects("src").Select(path => Path.GetFileNameWithoutExtension(path))];

    [Theory, MemberData(nameof(SourceProjects))]
    public void A_source_project_has_a_row_in_the_table(string project) =>
        Assert.True(Arrows.MayReference.ContainsKey(project), $"src/{project} has no row in {nameof(Arrows)}.{nameof(Arrows.MayReference)}: decide what it may reference");

    [Theory, MemberData(nameof(SourceProjects))]
    public void A_compiled_assembly_references_only_what_its_row_allows(string project)
    {
        using var file = new PEReader(File.OpenRead(Path.Combine(AppContext.BaseDirectory, Arrows.AssemblyName(project) + ".dll")));
        MetadataReader metadata = file.GetMetadataReader();
        string[] ours = [.. metadata.AssemblyReferences
            .Select(handle => metadata.GetString(metadata.GetAssemblyReference(handle).Name))
            .Where(name => name == "Isolation" || name.StartsWith("Isolation.", StringComparison.Ordinal))
            .Select(Arrows.ProjectName)];
        Assert.All(ours, reference => Assert.Contains(reference, Arrows.MayReference[project]));
    }

    // The compiler drops a reference that no code uses, so the project file is asked too.
    [Theory, MemberData(nameof(SourceProjects))]
    public void A_project_file_references_only_what_its_row_allows(string project)
    {
        string path = Repository.Projects("src").Single(file => Path.GetFileNameWithoutExtension(file) == project);
        string[] ours = [.. XDocument.Load(path).Descendants("ProjectReference")
            .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value.Replace('\\', '/')))];
        Assert.All(ours, reference => Assert.Contains(reference, Arrows.MayReference[project]));
    }

    [Theory, MemberData(nameof(SourceProjects))]
    public void An_assembly_has_one_public_namespace_and_it_is_its_name(string project)
    {
        Assembly assembly = Assembly.Load(Arrows.AssemblyName(project));
        Assert.All(assembly.GetExportedTypes(), type => Assert.Equal(Arrows.AssemblyName(project), type.Namespace));
    }

    [Fact]
    public void Every_project_is_in_the_solution()
    {
        string solution = File.ReadAllText(Path.Combine(Repository.Root, "Isolation.sln")).Replace('\\', '/');
        string[] projects = [.. new[] { "src", "samples", "benchmarks", "tests" }.SelectMany(Repository.Projects).Select(Repository.RelativePath)];
        Assert.All(projects, project => Assert.Contains($"\"{project}\"", solution, StringComparison.Ordinal));
    }
}
