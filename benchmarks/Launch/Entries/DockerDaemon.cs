using System.Diagnostics;
using System.Globalization;

namespace Isolation.Benchmarks;

/// <summary>A daemon with a socket and data of its own, and no network. It ends on disposal.</summary>
internal sealed class DockerDaemon : IAsyncDisposable
{
    private readonly string _client;
    private readonly Process _process;
    private readonly string _socket;

    private DockerDaemon(string client, string daemon, string scratch)
    {
        (_client, _socket) = (client, Path.Join(scratch, "socket"));
        _process = Process.Start(new ProcessStartInfo(daemon,
        [
            "-H", "unix://" + _socket, "--data-root", Path.Join(scratch, "data"), "--exec-root", Path.Join(scratch, "exec"), "--pidfile", Path.Join(scratch, "pid"),
            "--iptables=false", "--ip6tables=false", "--bridge=none",
        ]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        _process.ErrorDataReceived += (_, _) => { };
        _process.OutputDataReceived += (_, _) => { };
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
    }

    /// <exception cref="InvalidOperationException">It is not installed, or does not start.</exception>
    internal static async Task<DockerDaemon> StartAsync(string scratch)
    {
        if (Tools.Find("docker") is not { } client || Tools.Find("dockerd") is not { } daemon) throw new InvalidOperationException("docker or dockerd is not installed");
        DockerDaemon docker = new(client, daemon, scratch);
        for (int attempt = 0; !File.Exists(docker._socket); attempt++)
        {
            if (attempt == 300 || docker._process.HasExited)
            {
                await docker.DisposeAsync();
                throw new InvalidOperationException("the daemon did not start");
            }

            await Task.Delay(100);
        }

        return docker;
    }

    /// <summary>Runs its client.</summary>
    internal Task RunAsync(params string[] arguments) => Tools.RunCapturedAsync(_client, ["-H", "unix://" + _socket, .. arguments]);

    public async ValueTask DisposeAsync()
    {
        using (_process)
        {
            if (_process.HasExited) return;
            await Tools.RunCapturedAsync("/bin/kill", _process.Id.ToString(CultureInfo.InvariantCulture));
            await _process.WaitForExitAsync();
        }
    }
}
