using System.Diagnostics;

namespace Isolation.Images.Tests;

/// <summary>Where credentials come from: the files of others, and the programs that these name.</summary>
public sealed class CredentialTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly string _directory = Directory.CreateTempSubdirectory("isolation-credentials-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData("r.example:5000", "a", "the user 'host'")]
    [InlineData("r.example:5000", "team/a", "the user 'team'")]
    [InlineData("r.example:5000", "team/b/c", "the user 'team'")]
    [InlineData("r.example:5000", "teams/b", "the user 'host'")]
    [InlineData("docker.io", "library/x", "the user 'hub'")]
    [InlineData("old.example", "x", "the user 'old'")]
    [InlineData("token.example", "x", "an identity token")]
    [InlineData("bearer.example", "x", "a registry token")]
    [InlineData("plain.example", "x", "the user 'plain'")]
    [InlineData("other.example", "x", null)]
    public async Task The_most_particular_entry_of_a_file_holds(string domain, string path, string? expected)
    {
        static string Auth(string user) => Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"{user}:se:cret"));
        string file = Write("config.json", $$"""
            { "auths": {
                "r.example:5000": { "auth": "{{Auth("host")}}" }, "r.example:5000/team": { "auth": "{{Auth("team")}}" },
                "https://index.docker.io/v1/": { "auth": "{{Auth("hub")}}" }, "https://old.example/v2/": { "auth": "{{Auth("old")}}" },
                "token.example": { "auth": "{{Auth("ignored")}}", "identitytoken": "t" }, "bearer.example": { "registrytoken": "t" },
                "plain.example": { "username": "plain", "password": "x" }, "empty.example": {} } }
            """);

        RegistryCredential? found = await CredentialFiles.FindInAsync(file, domain, path, Patience, TestContext.Current.CancellationToken);

        Assert.Equal(expected, found?.ToString());
        if (expected == "the user 'team'") Assert.Equal("se:cret", found!.Password);
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("""{"auths":{"r.example":{"auth":"###"}}}""")]
    [InlineData("""{"auths":{"r.example":{"auth":"bm9jb2xvbg=="}}}""")]
    [InlineData("""{"auths":{"r.example":{"username":"a:b"}}}""")]
    public async Task A_file_that_cannot_be_read_is_named(string content)
    {
        string file = Write("config.json", content);

        ImageException exception = await Assert.ThrowsAsync<ImageException>(() => CredentialFiles.FindInAsync(file, "r.example", "a", Patience, TestContext.Current.CancellationToken));

        Assert.Equal(ImageErrorReason.Unauthorized, exception.Reason);
        Assert.Contains(file, exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""cat > /dev/null; echo '{"Username":"u","Secret":"s"}'""", "the user 'u'")]
    [InlineData("""read -r server; test "$server" = r.example && echo '{"Username":"<token>","Secret":"s"}'""", "an identity token")]
    [InlineData("echo 'credentials not found in native keychain'; exit 1", null)]
    public async Task A_helper_is_asked(string script, string? expected)
    {
        string file = Write("config.json", $$$"""{"credHelpers":{"r.example":"{{{MakeHelper(script)}}}"}}""");

        Assert.Equal(expected, (await CredentialFiles.FindInAsync(file, "r.example", "a", Patience, TestContext.Current.CancellationToken))?.ToString());
    }

    [Theory]
    [InlineData("echo '{\"Username\":\"u\", \"Sec'", "has no Username and Secret")]
    [InlineData("echo '[]'", "has no Username and Secret")]
    [InlineData("echo 's3cret rubbish'", "has no Username and Secret")]
    [InlineData("echo 'it is locked' >&2; exit 7", "it ended with 7: it is locked")]
    [InlineData("sleep 1000", "has not answered for 0.5 s")]
    [InlineData("while echo y; do :; done", "has not answered for 0.5 s")]
    public async Task A_helper_that_fails_is_named(string script, string why)
    {
        string file = Write("config.json", $$"""{"credsStore":"{{MakeHelper(script)}}"}""");
        Stopwatch watch = Stopwatch.StartNew();

        ImageException exception = await Assert.ThrowsAsync<ImageException>(() => CredentialFiles.FindInAsync(file, "r.example", "a", why.Contains("0.5", StringComparison.Ordinal) ? TimeSpan.FromSeconds(0.5) : Patience, TestContext.Current.CancellationToken));

        Assert.Equal(ImageErrorReason.Unauthorized, exception.Reason);
        Assert.Contains(why, exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", exception.ToString(), StringComparison.Ordinal);
        Assert.True(watch.Elapsed < Patience);
    }

    [Fact]
    public async Task A_helper_that_is_missing_is_named()
    {
        string file = Write("config.json", """{"credsStore":"of-nobody"}""");

        ImageException exception = await Assert.ThrowsAsync<ImageException>(() => CredentialFiles.FindInAsync(file, "r.example", "a", Patience, TestContext.Current.CancellationToken));

        Assert.Contains("'docker-credential-of-nobody'", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Its_text_has_no_secret()
    {
        Assert.Equal("the user 'u'", $"{RegistryCredential.OfUser("u", "s3cret")}");
        Assert.Equal("an identity token", $"{RegistryCredential.OfIdentityToken("s3cret")}");
        Assert.Throws<ArgumentException>(() => RegistryCredential.OfUser("a:b", ""));
    }

    /// <summary>A program on PATH; its name without the prefix.</summary>
    private string MakeHelper(string script)
    {
        string name = "tests" + Guid.NewGuid().ToString("N")[..8], path = Write(name, "#!/bin/sh\n" + script + "\n");

        // Written by another program: a child of some other thread cannot hold it open while it is started (ETXTBSY).
        using (Process install = Process.Start("install", ["-m", "755", path, Path.Join(_directory, $"docker-credential-{name}")])) install.WaitForExit();
        lock (typeof(CredentialTests)) Environment.SetEnvironmentVariable("PATH", $"{Environment.GetEnvironmentVariable("PATH")}:{_directory}");
        return name;
    }

    private string Write(string name, string content)
    {
        string path = Path.Join(_directory, name);
        File.WriteAllText(path, content);
        return path;
    }
}
