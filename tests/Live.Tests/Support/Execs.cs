namespace Isolation.Live.Tests;

/// <summary>Further programs of a container in few words.</summary>
internal static class Execs
{
    internal static async Task<string> ExecOutputAsync(this Container container, params string[] command) =>
        Sandbox.Output(await container.ExecAsync(command, Sandbox.Token));

    internal static Task<string> ExecShellAsync(this Container container, string script) => container.ExecOutputAsync("sh", "-c", script);

    internal static async Task<string> OutputAsync(this ExecBuilder builder) => Sandbox.Output(await builder.RunAsync(Sandbox.Token));

    internal static Task<ContainerProcess> BeginAsync(this ExecBuilder builder) => builder.StartAsync(Sandbox.Token);

    internal static Task<ContainerResult> EndAsync(this ContainerProcess process) => process.WaitAsync(Sandbox.Token);
}
