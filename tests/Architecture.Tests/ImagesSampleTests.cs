namespace Isolation.Architecture.Tests;

/// <summary>The sample of images, compiled ahead of time, on an archive that umoci and skopeo made.</summary>
[Trait("Category", "Slow")]
[Collection(BuildingCollection.Name)]
public sealed class ImagesSampleTests
{
    [Fact]
    public async Task It_loads_lists_runs_changes_commits_and_saves()
    {
        foreach (string tool in (string[])["/usr/bin/umoci", "/usr/bin/skopeo", "/bin/busybox"]) Assert.SkipUnless(File.Exists(tool), $"there is no {tool}");
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "umoci unpacks as root here");
        CancellationToken cancellationToken = TestContext.Current.CancellationToken;
        DirectoryInfo folder = Directory.CreateTempSubdirectory("isolation-sample-");
        try
        {
            await RunAsync("/bin/sh", "-ec", """
                umoci init --layout layout; umoci new --image layout:1; umoci unpack --image layout:1 bundle
                mkdir bundle/rootfs/bin bundle/rootfs/etc
                cp /bin/busybox bundle/rootfs/bin/busybox
                for program in sh cat echo; do ln -s busybox bundle/rootfs/bin/$program; done
                echo 'NAME="of the sample"' > bundle/rootfs/etc/os-release
                umoci repack --image layout:1 bundle; umoci config --image layout:1 --config.env PATH=/bin
                skopeo --tmpdir . copy oci:layout:1 docker-archive:image.tar:localhost/sample:1
                """);

            string sample = Path.Combine(await AheadOfTime.PublishAsync("samples/Images/Images.Sample.csproj", folder.FullName), "Isolation.Samples.Images");

            string output = (await RunAsync(sample, At("image.tar"), At("store"), At("changed.tar"))).Output;

            foreach (string said in (string[])["localhost/sample:1", "NAME=\"of the sample\"", "A /changed", "localhost/changed:latest, made of sha256:", "is saved in"]) Assert.Contains(said, output, StringComparison.Ordinal);
            Assert.Contains("\"Cmd\":[\"cat\",\"/changed\"]", (await RunAsync("skopeo", "--tmpdir", folder.FullName, "inspect", "--config", "--raw", $"oci-archive:{At("changed.tar")}")).Output, StringComparison.Ordinal);
        }
        finally
        {
            await RunAsync("rm", "-rf", "store", "bundle", "layout");
            folder.Delete(recursive: true);
        }

        string At(string name) => Path.Combine(folder.FullName, name);

        async Task<CommandResult> RunAsync(string program, params string[] arguments) => (await Command.RunAsync(program, arguments, folder.FullName, cancellationToken)).EnsureSuccess();
    }
}
