using System.Diagnostics;

namespace Isolation.Live.Tests;

/// <summary>Containers in few words.</summary>
internal static class Sandbox
{
    // An emulated processor is several times slower (tests/vm).
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(Environment.GetEnvironmentVariable("ISOLATION_TEST_KERNEL") is null ? 1 : 5);

    /// <summary>Ends what hangs; nothing that works takes as long.</summary>
    internal static CancellationToken Token
    {
        get
        {
            CancellationTokenSource source = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
            source.CancelAfter(Patience);
            return source.Token;
        }
    }

    internal static ContainerBuilder Host(params string[] command) => new ContainerBuilder().FromHost().WithCommand(command);

    internal static ContainerBuilder HostShell(string script) => Host("sh", "-c", script);

    /// <summary>Runs to the end, whatever that is.</summary>
    internal static Task<ContainerResult> ResultAsync(this ContainerBuilder builder) => builder.RunAsync(Token);

    internal static Task<Container> BeginAsync(this ContainerBuilder builder) => builder.StartAsync(Token);

    internal static Task<ContainerResult> EndAsync(this Container container) => container.WaitAsync(Token);

    /// <summary>What it wrote, without the last newline; anything but exit code 0 is a failure.</summary>
    internal static async Task<string> OutputAsync(this ContainerBuilder builder) => Output(await builder.ResultAsync());

    internal static string Output(ContainerResult result)
    {
        Assert.True(result.Succeeded, $"{result}\n{result.StandardOutput}\n{result.StandardError}");
        return result.StandardOutput.TrimEnd('\n');
    }

    internal static async Task<string[]> LinesAsync(this ContainerBuilder builder) => (await builder.OutputAsync()).Split('\n');

    /// <summary>Must not start; says why.</summary>
    internal static async Task<ContainerException> RefusalAsync(this ContainerBuilder builder) =>
        await Assert.ThrowsAsync<ContainerException>(() => builder.RunAsync(Token));

    /// <summary>A container that runs until it is disposed.</summary>
    internal static Task<Container> SleeperAsync(Action<ContainerBuilder>? configure = null)
    {
        ContainerBuilder builder = Host("sleep", "1000");
        configure?.Invoke(builder);
        return builder.BeginAsync();
    }

    /// <summary>Runs a program of the host, with no container at all.</summary>
    internal static async Task<(int ExitCode, string Output, string Error)> OnHostAsync(string program, params string[] arguments)
    {
        using Process process = StartOnHost(program, arguments);
        Task<string> error = process.StandardError.ReadToEndAsync(Token);
        string output = await process.StandardOutput.ReadToEndAsync(Token);
        await process.WaitForExitAsync(Token);
        return (process.ExitCode, output, await error);
    }

    internal static Process StartOnHost(string program, params string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["DOTNET_EnableDiagnostics"] = "0"; // a runtime that is killed leaves its pipes in the directory for temporary files
        return Process.Start(start)!;
    }
}
