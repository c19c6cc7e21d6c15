using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Isolation.Architecture.Tests;

/// <summary>The sample of images, compiled ahead of time, on an archive that umoci and skopeo made, and on a registry.</summary>
[Trait("Category", "Slow")]
[Collection(BuildingCollection.Name)]
public sealed class ImagesSampleTests
{
    [Fact]
    public async Task It_loads_or_pulls_lists_runs_changes_commits_and_saves_or_pushes()
    {
        foreach (string tool in (string[])["/usr/bin/umoci", "/usr/bin/skopeo", "/bin/busybox", "/usr/bin/docker-registry"]) Assert.SkipUnless(File.Exists(tool), $"there is no {tool}");
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

            using Process registry = await StartRegistryAsync(folder.FullName, cancellationToken);
            try
            {
                string authority = File.ReadAllText(At("authority"));
                await RunAsync("skopeo", "--tmpdir", folder.FullName, "copy", "--dest-tls-verify=false", $"docker-archive:{At("image.tar")}", $"docker://{authority}/sample:1");
                output = (await RunAsync(sample, $"{authority}/sample:1", At("second"), $"{authority}/changed:1")).Output;
                foreach (string said in (string[])[$"{authority}/sample:1", "NAME=\"of the sample\"", "A /changed", "is pushed"]) Assert.Contains(said, output, StringComparison.Ordinal);
                Assert.Contains("\"Cmd\":[\"cat\",\"/changed\"]", (await RunAsync("skopeo", "--tmpdir", folder.FullName, "inspect", "--tls-verify=false", "--config", "--raw", $"docker://{authority}/changed:1")).Output, StringComparison.Ordinal);
            }
            finally
            {
                registry.Kill();
                await registry.WaitForExitAsync(cancellationToken);
            }
        }
        finally
        {
            await RunAsync("rm", "-rf", "store", "second", "bundle", "layout");
            folder.Delete(recursive: true);
        }

        static async Task<Process> StartRegistryAsync(string folder, CancellationToken cancellationToken)
        {
            int port;
            using (TcpListener listener = new(IPAddress.Loopback, 0))
            {
                listener.Start();
                port = ((IPEndPoint)listener.LocalEndpoint).Port;
            }

            await File.WriteAllTextAsync(Path.Combine(folder, "authority"), $"127.0.0.1:{port}", cancellationToken);
            await File.WriteAllTextAsync(Path.Combine(folder, "registry.yml"), $"version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {folder}/registry\nhttp:\n  addr: 127.0.0.1:{port}\n", cancellationToken);
            Process registry = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", "exec /usr/bin/docker-registry serve registry.yml > registry.log 2>&1"]) { WorkingDirectory = folder })!;
            for (int i = 0; i < 100; i++)
            {
                try
                {
                    using TcpClient client = new();
                    await client.ConnectAsync(IPAddress.Loopback, port, cancellationToken);
                    break;
                }
                catch (SocketException)
                {
                    await Task.Delay(100, cancellationToken);
                }
            }

            return registry;
        }

        string At(string name) => Path.Combine(folder.FullName, name);

        async Task<CommandResult> RunAsync(string program, params string[] arguments) => (await Command.RunAsync(program, arguments, folder.FullName, cancellationToken)).EnsureSuccess();
    }
}
