using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace Isolation.Images;

/// <summary>Asks a program for credentials, as docker(1) does: <c>docker-credential-NAME get</c> (github.com/docker/docker-credential-helpers).</summary>
internal static class CredentialProgram
{
    private const string Prefix = "docker-credential-", TokenUser = "<token>", NotFound = "credentials not found";
    private const int Longest = 64 << 10;

    /// <param name="name">Of the helper, without its prefix.</param>
    /// <param name="server">Whose credentials.</param>
    /// <param name="patience">How long it may take.</param>
    /// <param name="cancellationToken">Ends the program.</param>
    /// <returns>Null where it knows none.</returns>
    /// <exception cref="ImageException">It is missing, fails, hangs, or prints something else.</exception>
    internal static async Task<RegistryCredential?> GetAsync(string name, string server, TimeSpan patience, CancellationToken cancellationToken)
    {
        string program = Prefix + name;
        if (name.Length == 0 || name.Contains('/', StringComparison.Ordinal)) throw Failed(program, "that is no name of a program");
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(patience);
        using Process process = Start(program);
        try
        {
            Task<byte[]> output = ReadAsync(process.StandardOutput.BaseStream, limit.Token), words = ReadAsync(process.StandardError.BaseStream, limit.Token);
            try
            {
                await process.StandardInput.WriteAsync(server.AsMemory(), limit.Token).ConfigureAwait(false);
                process.StandardInput.Close();
            }
            catch (IOException)
            {
                // It does not read its input: what it says tells why.
            }

            await Task.WhenAll(output, words).ConfigureAwait(false);
            await process.WaitForExitAsync(limit.Token).ConfigureAwait(false);
            string said = Encoding.UTF8.GetString(await output.ConfigureAwait(false));
            if (process.ExitCode == 0) return Read(program, said);
            if (said.Contains(NotFound, StringComparison.OrdinalIgnoreCase)) return null;
            throw Failed(program, $"it ended with {process.ExitCode}: {RegistryText.Shown(said.Trim() is { Length: > 0 } line ? line : Encoding.UTF8.GetString(await words.ConfigureAwait(false)).Trim())}");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw Failed(program, $"it has not answered for {patience.TotalSeconds:0.#} s");
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
    }

    private static Process Start(string program)
    {
        try
        {
            return Process.Start(new ProcessStartInfo(program, ["get"]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        }
        catch (Win32Exception exception)
        {
            throw Failed(program, exception.Message, exception);
        }
    }

    private static RegistryCredential? Read(string program, string said)
    {
        try
        {
            using JsonDocument answer = JsonDocument.Parse(said);
            string user = answer.RootElement.GetProperty("Username").GetString() ?? "", secret = answer.RootElement.GetProperty("Secret").GetString() ?? "";
            if (secret.Length == 0) return null;
            return user == TokenUser ? RegistryCredential.OfIdentityToken(secret) : RegistryCredential.OfUser(user, secret);
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException or ArgumentException)
        {
            // Not a word of what it printed: that may be a secret.
            throw Failed(program, "what it printed has no Username and Secret", exception is JsonException ? null : exception);
        }
    }

    private static async Task<byte[]> ReadAsync(Stream stream, CancellationToken cancellationToken)
    {
        byte[] bytes = new byte[Longest];
        int count = await stream.ReadAtLeastAsync(bytes, Longest, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        await stream.CopyToAsync(Stream.Null, cancellationToken).ConfigureAwait(false); // one that prints without end reaches its limit of time
        return bytes[..count];
    }

    private static ImageException Failed(string program, string why, Exception? cause = null) =>
        new(ImageErrorReason.Unauthorized, $"The credential helper '{program}' gives nothing: {why}", cause, "mend it, or take it out of the file that names it (config.json, auth.json), or give credentials with RegistryOptions.Credentials");
}
