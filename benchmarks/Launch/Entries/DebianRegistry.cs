using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Isolation.Benchmarks;

/// <summary>Debian's docker-registry on the loopback interface. It ends on disposal.</summary>
internal sealed class DebianRegistry : IAsyncDisposable
{
    private readonly Process _process;
    private readonly string _data;

    private DebianRegistry(Process process, int port, string data) => (_process, Port, _data) = (process, port, data);

    internal int Port { get; }

    internal string Authority => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Port}");

    /// <exception cref="InvalidOperationException">It is not installed, or does not start.</exception>
    internal static async Task<DebianRegistry> StartAsync(string scratch)
    {
        string program = Tools.Find("docker-registry") ?? throw new InvalidOperationException("docker-registry is not installed");
        int port = FreePort();
        string config = Path.Join(scratch, "registry.yml"), data = Directory.CreateDirectory(Path.Join(scratch, "registry")).FullName;
        await File.WriteAllTextAsync(config, string.Create(CultureInfo.InvariantCulture, $"version: 0.1\nlog:\n  level: error\n  accesslog:\n    disabled: true\nstorage:\n  filesystem:\n    rootdirectory: {data}\nhttp:\n  addr: 127.0.0.1:{port}\n  secret: benchmark\n"));
        Process process = Process.Start(new ProcessStartInfo(program, ["serve", config]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        process.ErrorDataReceived += (_, _) => { };
        process.OutputDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        DebianRegistry registry = new(process, port, data);
        for (int attempt = 0; attempt < 100 && !process.HasExited; attempt++)
        {
            try
            {
                using TcpClient client = new();
                await client.ConnectAsync(IPAddress.Loopback, port);
                return registry;
            }
            catch (SocketException)
            {
                await Task.Delay(50);
            }
        }

        await registry.DisposeAsync();
        throw new InvalidOperationException("docker-registry does not start");
    }

    /// <summary>It has nothing any more.</summary>
    internal Task EmptyAsync() => Tools.RunCapturedAsync("rm", "-rf", Path.Join(_data, "docker"));

    public async ValueTask DisposeAsync()
    {
        using (_process)
        {
            if (!_process.HasExited) _process.Kill();
            await _process.WaitForExitAsync();
        }
    }

    private static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
