using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace Isolation.Live.Tests;

/// <summary>Debian's registry (docker-registry, of the distribution project), on the loopback interface and with all that it keeps in a directory of ours.</summary>
internal sealed class RegistryProcess : IAsyncDisposable
{
    internal const string User = "tester", Password = "hunter2";
    private const string Program = "/usr/bin/docker-registry";

    // htpasswd -nbB tester hunter2
    private const string Htpasswd = "tester:$2y$05$Zw/mBlMGAIl/2Zl58mtkHOWssoXVIcCjp6iHw1Lwqjjas0uIiB0/K";
    private readonly TemporaryDirectory _directory = new();
    private Process? _process;
    private Task? _log;

    private RegistryProcess(int port) => Port = port;

    internal int Port { get; }

    internal string Authority => $"127.0.0.1:{Port}";

    internal string this[string name] => _directory[name];

    internal static void Require() => Assert.SkipUnless(File.Exists(Program), $"there is no {Program}: install docker-registry");

    /// <param name="hasPassword">Whether it asks for <see cref="User"/> and <see cref="Password"/>.</param>
    /// <param name="tokens">Who gives tokens for it.</param>
    /// <param name="certificate">With its key, where it has TLS.</param>
    internal static async Task<RegistryProcess> StartAsync(bool hasPassword = false, TokenServer? tokens = null, X509Certificate2? certificate = null)
    {
        Require();
        for (int tries = 0; ; tries++)
        {
            RegistryProcess registry = new(FreePort());
            if (await registry.TryStartAsync(hasPassword, tokens, certificate)) return registry;
            await registry.DisposeAsync();
            Assert.True(tries < 5, "the registry does not start");
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { } process)
        {
            process.Kill();
            await process.WaitForExitAsync(Sandbox.Token);
            await _log!;
            process.Dispose();
        }

        _directory.Dispose();
    }

    private static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private async Task<bool> TryStartAsync(bool hasPassword, TokenServer? tokens, X509Certificate2? certificate)
    {
        string tls = "";
        if (certificate is not null)
        {
            using System.Security.Cryptography.ECDsa key = certificate.GetECDsaPrivateKey()!;
            tls = $"\n  tls:\n    certificate: {_directory.Write("tls.crt", certificate.ExportCertificatePem())}\n    key: {_directory.Write("tls.key", key.ExportPkcs8PrivateKeyPem())}";
        }

        string auth = hasPassword ? $"auth:\n  htpasswd:\n    realm: tests\n    path: {_directory.Write("htpasswd", Htpasswd)}\n"
            : tokens is not null ? $"auth:\n  token:\n    realm: {tokens.Address}\n    service: {TokenServer.Service}\n    issuer: {TokenServer.Issuer}\n    rootcertbundle: {_directory.Write("tokens.crt", tokens.CertificatePem)}\n" : "";
        string config = _directory.Write("config.yml", $"version: 0.1\nlog:\n  level: error\n  accesslog:\n    disabled: true\nstorage:\n  filesystem:\n    rootdirectory: {_directory.MakeDirectory("registry")}\n  delete:\n    enabled: true\nhttp:\n  addr: {Authority}\n  secret: of the tests{tls}\n{auth}");
        _process = Process.Start(new ProcessStartInfo(Program, ["serve", config]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        _log = Task.WhenAll(_process.StandardError.ReadToEndAsync(), _process.StandardOutput.ReadToEndAsync());
        for (int i = 0; i < 200 && !_process.HasExited; i++)
        {
            try
            {
                using TcpClient client = new();
                await client.ConnectAsync(IPAddress.Loopback, Port, Sandbox.Token);
                return true;
            }
            catch (SocketException)
            {
                await Task.Delay(50, Sandbox.Token);
            }
        }

        return false;
    }
}
