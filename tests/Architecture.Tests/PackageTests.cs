using System.IO.Compression;
using System.Xml.Linq;

namespace Isolation.Architecture.Tests;

/// <summary>
/// The packages as someone else meets them: packed from this checkout, looked into, then restored
/// into an empty project that runs a container with them.
/// </summary>
[Trait("Category", "Slow")]
[Collection(BuildingCollection.Name)]
public sealed class PackageTests(PackedPackages packed) : IClassFixture<PackedPackages>
{
    public static TheoryData<string> SourceProjects => ArrowTests.SourceProjects;

    [Theory, MemberData(nameof(SourceProjects))]
    public async Task A_package_has_all_that_it_should(string project)
    {
        string id = Arrows.AssemblyName(project);
        await using ZipArchive package = await ZipFile.OpenReadAsync(packed.PathOf(id, "nupkg"), TestContext.Current.CancellationToken);
        string[] names = [.. package.Entries.Select(entry => entry.FullName)];
        Assert.Contains($"lib/net10.0/{id}.dll", names);
        Assert.Contains($"lib/net10.0/{id}.xml", names);
        Assert.Contains("README.md", names);

        using (var readme = new StreamReader(await package.GetEntry("README.md")!.OpenAsync(TestContext.Current.CancellationToken)))
        {
            string text = await readme.ReadToEndAsync(TestContext.Current.CancellationToken);
            Assert.Contains(text.Split('\n'), line => line.Length > 0 && line[0] != '#');
        }

        await using Stream stream = await package.GetEntry($"{id}.nuspec")!.OpenAsync(TestContext.Current.CancellationToken);
        XElement metadata = XDocument.Load(stream).Root!.Elements().Single(element => element.Name.LocalName == "metadata");
        Assert.Equal(id, Value("id"));
        Assert.Equal("MIT", Value("license"));
        Assert.Equal("README.md", Value("readme"));
        Assert.False(string.IsNullOrWhiteSpace(Value("description")));

        await using ZipArchive symbols = await ZipFile.OpenReadAsync(packed.PathOf(id, "snupkg"), TestContext.Current.CancellationToken);
        Assert.Contains(symbols.Entries, entry => entry.FullName == $"lib/net10.0/{id}.pdb");

        string? Value(string name) => metadata.Elements().SingleOrDefault(element => element.Name.LocalName == name)?.Value;
    }

    [Fact]
    public async Task An_empty_project_restores_the_packages_and_runs_a_container()
    {
        CancellationToken cancellationToken = TestContext.Current.CancellationToken;
        string project = await packed.WriteConsumerAsync(cancellationToken);
        CommandResult build = await Command.DotnetAsync(
            ["build", "-c", "Release", "-v", "quiet"], project, cancellationToken, ("NUGET_PACKAGES", Path.Combine(project, "packages")));
        build.EnsureSuccess();
        CommandResult run = await Command.RunAsync(
            "dotnet", [Path.Combine(project, "bin/Release/net10.0/Consumer.dll")], project, cancellationToken);
        Assert.Equal("hello from 1", run.EnsureSuccess().Output.Trim());
    }
}

/// <summary>Packs every project under src/ once, with a version that no cache can hold.</summary>
public sealed class PackedPackages : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("isolation-packages-").FullName;
    private readonly string _version = $"0.1.0-test.{DateTime.UtcNow.Ticks}";

    private string Feed => Path.Combine(_folder, "feed");

    public string PathOf(string id, string extension) => Path.Combine(Feed, $"{id}.{_version}.{extension}");

    public async ValueTask InitializeAsync()
    {
        foreach (string project in Repository.Projects("src"))
        {
            // An artifacts folder of its own: the checkout's bin and obj stay as the build left them.
            CommandResult pack = await Command.DotnetAsync(
                ["pack", project, "-c", "Release", "-v", "quiet", "-o", Feed, "--artifacts-path", Path.Combine(_folder, "artifacts"), $"-p:Version={_version}"],
                Repository.Root, TestContext.Current.CancellationToken);
            pack.EnsureSuccess();
        }
    }

    /// <summary>Writes a console project that knows nothing of this checkout but the folder of packages.</summary>
    public async Task<string> WriteConsumerAsync(CancellationToken cancellationToken)
    {
        string project = Directory.CreateDirectory(Path.Combine(_folder, "consumer")).FullName;
        // The user's own sources stay, for what our packages depend on; what is already on the machine is not fetched again.
        string fallback = Directory.Exists(Command.PackageFolder)
            ? $"""<fallbackPackageFolders><add key="machine" value="{Command.PackageFolder}" /></fallbackPackageFolders>"""
            : "";
        await Write("nuget.config", $"""
            <configuration>
              <packageSources><add key="isolation-feed" value="{Feed}" /></packageSources>
              <packageSourceMapping><clear /></packageSourceMapping>
              {fallback}
            </configuration>
            """);
        await Write("Directory.Build.props", "<Project />");
        await Write("Directory.Packages.props", "<Project />");
        await Write("Consumer.csproj", $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <Nullable>enable</Nullable>
                <ImplicitUsings>enable</ImplicitUsings>
                <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
                <NuGetAudit>false</NuGetAudit>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="Isolation" Version="{_version}" />
              </ItemGroup>
            </Project>
            """);
        await Write("Program.cs", """
            using Isolation;

            ContainerResult result = await new ContainerBuilder()
                .FromHost()
                .WithCommand("sh", "-c", "echo hello from $$")
                .RunAsync();
            Console.Write(result.StandardOutput);
            return result.ExitCode ?? 1;
            """);
        return project;

        Task Write(string name, string text) => File.WriteAllTextAsync(Path.Combine(project, name), text, cancellationToken);
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }
}

/// <summary>Tests that start a build do it one after another: two at once only fight for the cores.</summary>
[CollectionDefinition(Name)]
public sealed class BuildingCollection
{
    public const string Name = "building";
}
