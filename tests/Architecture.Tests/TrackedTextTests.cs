using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Isolation.Architecture.Tests;

/// <summary>
/// The repository works wherever it is cloned: nothing in it names the place it was written in or
/// where that place gets its packages.
/// </summary>
public sealed partial class TrackedTextTests
{
    // Folders that hold everybody's files: their other entries say nothing about this checkout.
    private static readonly string[] SharedParents = ["/", "/tmp", "/var/tmp", "/root", "/home", "/opt", "/srv", "/mnt", "/usr", "/usr/src", "/usr/local"];

    [Fact]
    public async Task No_tracked_file_names_a_package_registry()
    {
        // Written so that the pattern does not match its own text.
        string known = @"nuget\.org|npmjs\.(?:org|com)|pypi\.org|pythonhosted\.org|crates\.io|rubygems\.org|golang\.org/|deb\.debian\.org|maven\.org";
        string configured = string.Concat(ConfiguredHosts().Select(host => "|" + Regex.Escape(host)));
        await AssertNoTrackedFileMatches(new Regex(known + configured, RegexOptions.IgnoreCase));
    }

    [Fact]
    public async Task No_tracked_file_names_a_path_of_the_place_it_was_written_in()
    {
        string parent = Path.GetDirectoryName(Repository.Root)!;
        List<string> paths = [Repository.Root];
        if (!SharedParents.Contains(parent))
        {
            paths.AddRange(Directory.EnumerateFileSystemEntries(parent));
        }

        await AssertNoTrackedFileMatches(new Regex($@"(?<![\w./-])(?:{string.Join('|', paths.Select(Regex.Escape))})(?![\w-])"));
    }

    [Fact]
    public void The_package_configuration_names_no_source()
    {
        XDocument configuration = XDocument.Load(Path.Combine(Repository.Root, "nuget.config"));
        Assert.Empty(configuration.Descendants("packageSources"));
        Assert.DoesNotContain("http", configuration.ToString(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Every_relative_link_in_the_documents_leads_to_a_file()
    {
        List<string> broken = [];
        foreach (string path in (await Repository.TrackedFilesAsync(TestContext.Current.CancellationToken)).Where(IsMarkdown))
        {
            foreach (Match link in MarkdownLink().Matches(await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken)))
            {
                string target = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(path)!, link.Groups["target"].Value));
                if (!target.StartsWith(Repository.Root + "/", StringComparison.Ordinal) || !Path.Exists(target))
                {
                    broken.Add($"{Repository.RelativePath(path)}: {link.Value}");
                }
            }
        }

        Assert.Empty(broken);
    }

    private static bool IsMarkdown(string path) => Path.GetExtension(path) == ".md";

    private static async Task AssertNoTrackedFileMatches(Regex pattern)
    {
        List<string> found = [];
        foreach (string path in await Repository.TrackedFilesAsync(TestContext.Current.CancellationToken))
        {
            string text = await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken);
            found.AddRange(pattern.Matches(text).Select(match =>
                $"{Repository.RelativePath(path)}:{text.AsSpan(0, match.Index).Count('\n') + 1}: {match.Value}"));
        }

        Assert.Empty(found);
    }

    /// <summary>The hosts that this machine's own package clients are set up to ask.</summary>
    private static HashSet<string> ConfiguredHosts()
    {
        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        string[] files = [Path.Combine(home, ".nuget/NuGet/NuGet.Config"), Path.Combine(home, ".npmrc"), "/etc/apt/sources.list"];
        HashSet<string> hosts = [.. files.Where(File.Exists).SelectMany(path => UrlHost().Matches(File.ReadAllText(path))).Select(match => match.Groups["host"].Value)];
        hosts.RemoveWhere(host => host is "localhost" or "127.0.0.1" || !host.Contains('.', StringComparison.Ordinal));
        return hosts;
    }

    [GeneratedRegex(@"https?://(?:[^/\s""@]*@)?(?<host>[\w.-]+)")]
    private static partial Regex UrlHost();

    [GeneratedRegex(@"\]\((?!\w+:|#)(?<target>[^)#\s]+)(?:#[^)]*)?\)")]
    private static partial Regex MarkdownLink();
}
