using System.Collections.Immutable;
using System.ComponentModel;
using System.Diagnostics;

namespace Isolation;

/// <summary>Runs hooks, one after the other, each with the state on its standard input.</summary>
internal static class OciHookRunner
{
    private const int LongestWords = 4096;

    /// <summary>In the namespaces of this process.</summary>
    /// <exception cref="OciRuntimeException">One cannot be run, fails, or takes longer than it may: it is killed then.</exception>
    internal static async Task RunAsync(string point, ImmutableArray<OciHook> hooks, OciState state, CancellationToken cancellationToken)
    {
        foreach (OciHook hook in hooks) await OneAsync(point, hook, state.ToJson(), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>In those of the container.</summary>
    /// <inheritdoc cref="RunAsync"/>
    internal static async Task RunInsideAsync(string point, ImmutableArray<OciHook> hooks, OciState state, CancellationToken cancellationToken)
    {
        foreach (OciHook hook in hooks)
        {
            ContainerSpec spec = OciJoin.Of(state.ProcessId) with
            {
                Command = [hook.Path, .. hook.Arguments.Skip(1)],
                Environment = hook.Environment.Select(variable => variable.Split('=', 2)).Where(pair => pair.Length == 2).ToImmutableSortedDictionary(pair => pair[0], pair => pair[1], StringComparer.Ordinal),
                Input = InputSource.FromText(state.ToJson()),
                Timeout = hook.Timeout,
                NoNewPrivileges = false,
            };
            ContainerResult result;
            try
            {
                result = await spec.RunAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (ContainerException exception)
            {
                throw new OciRuntimeException($"The hook {point} '{hook.Path}' cannot be run: {exception.Message}", exception);
            }

            if (result.Outcome == ContainerOutcome.TimedOut) throw TookLong(point, hook);
            if (!result.Succeeded) throw new OciRuntimeException($"The hook {point} '{hook.Path}' failed: {result}{Words(result.StandardError)}");
        }
    }

    private static async Task OneAsync(string point, OciHook hook, string state, CancellationToken cancellationToken)
    {
        ProcessStartInfo start = new(hook.Path) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/" };
        foreach (string argument in hook.Arguments.Skip(1)) start.ArgumentList.Add(argument);
        start.Environment.Clear();
        foreach (string variable in hook.Environment)
            if (variable.Split('=', 2) is [{ Length: > 0 } name, { } value]) start.Environment[name] = value;
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        if (hook.Timeout is { } timeout) limit.CancelAfter(timeout);
        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (Win32Exception exception)
        {
            throw new OciRuntimeException($"The hook {point} '{hook.Path}' cannot be run: {exception.Message}", exception);
        }

        using (process)
        {
            try
            {
                Task<string> output = process.StandardOutput.ReadToEndAsync(limit.Token), error = process.StandardError.ReadToEndAsync(limit.Token);
                try
                {
                    await process.StandardInput.WriteAsync(state.AsMemory(), limit.Token).ConfigureAwait(false);
                    process.StandardInput.Close();
                }
                catch (IOException)
                {
                    // It does not read.
                }

                await process.WaitForExitAsync(limit.Token).ConfigureAwait(false);
                if (process.ExitCode != 0) throw new OciRuntimeException($"The hook {point} '{hook.Path}' failed with exit code {process.ExitCode}{Words(await error.ConfigureAwait(false) + await output.ConfigureAwait(false))}");
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                throw TookLong(point, hook);
            }
            finally
            {
                if (!process.HasExited) process.Kill(entireProcessTree: true);
            }
        }
    }

    private static OciRuntimeException TookLong(string point, OciHook hook) => new($"The hook {point} '{hook.Path}' took longer than its timeout of {hook.Timeout!.Value.TotalSeconds} s and was killed");

    private static string Words(string text) => text.Trim() is { Length: > 0 } words ? ": " + words[..Math.Min(words.Length, LongestWords)] : "";
}
