using System.Collections.Immutable;
using System.Runtime.CompilerServices;

namespace Isolation;

/// <summary>Runs hooks, one after the other, each with the state on its standard input.</summary>
internal static class OciHookRunner
{
    private const int LongestWords = 4096;

    /// <summary>In the namespaces of this process.</summary>
    /// <exception cref="OciRuntimeException">One cannot be run, fails, or takes longer than it may: it is killed then.</exception>
    internal static Task RunAsync(string point, ImmutableArray<OciHook> hooks, OciState state, CancellationToken cancellationToken) => AllAsync(point, hooks, OciJoin.None, state, cancellationToken);

    /// <summary>Those of the making, in their order.</summary>
    internal static async Task RunCreationAsync(OciHooks hooks, OciState state, CancellationToken cancellationToken)
    {
        await RunAsync("prestart", hooks.Prestart, state, cancellationToken).ConfigureAwait(false);
        await RunAsync("createRuntime", hooks.CreateRuntime, state, cancellationToken).ConfigureAwait(false);
        await RunInsideAsync("createContainer", hooks.CreateContainer, state, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>In those of the container.</summary>
    /// <param name="point">Their name.</param>
    /// <param name="hooks">Which.</param>
    /// <param name="state">What they are told.</param>
    /// <param name="cancellationToken">Ends them.</param>
    internal static Task RunInsideAsync(string point, ImmutableArray<OciHook> hooks, OciState state, CancellationToken cancellationToken) =>
        hooks.IsEmpty ? Task.CompletedTask : AllAsync(point, hooks, OciJoin.Of(state.ProcessId), state, cancellationToken);

    private static async Task AllAsync(string point, ImmutableArray<OciHook> hooks, ContainerSpec place, OciState state, CancellationToken cancellationToken)
    {
        foreach (OciHook hook in hooks)
        {
            ContainerSpec spec = place with
            {
                Executable = hook.Path,
                Command = hook.Arguments,
                Environment = hook.Environment.Select(variable => variable.Split('=', 2)).Where(pair => pair.Length == 2).ToImmutableSortedDictionary(pair => pair[0], pair => pair[1], StringComparer.Ordinal),
                Input = InputSource.FromText(state.ToJson()),
                Timeout = hook.Timeout,
                NoNewPrivileges = false,
            };
            ContainerResult result;
            try
            {
                Container container = await spec.StartAsync(cancellationToken).ConfigureAwait(false);
                await using ConfiguredAsyncDisposable disposing = container.ConfigureAwait(false);
                result = await container.WaitAsync(cancellationToken).ConfigureAwait(false);

                // It leads a session of its own: what it has started and left goes with it.
                if (result.Outcome == ContainerOutcome.TimedOut) Linux.Syscall.Invoke(Linux.SystemCall.kill, -container.ProcessId, Linux.Abi.SIGKILL);
            }
            catch (ContainerException exception)
            {
                throw new OciRuntimeException($"The hook {point} '{hook.Path}' cannot be run: {exception.Message}", exception);
            }

            if (result.Outcome == ContainerOutcome.TimedOut) throw new OciRuntimeException($"The hook {point} '{hook.Path}' took longer than its timeout of {hook.Timeout!.Value.TotalSeconds} s and was killed");
            if (!result.Succeeded) throw new OciRuntimeException($"The hook {point} '{hook.Path}' failed: {result}{Words(result.StandardError + result.StandardOutput)}");
        }
    }

    private static string Words(string text) => text.Trim() is { Length: > 0 } words ? ": " + words[..Math.Min(words.Length, LongestWords)] : "";
}
