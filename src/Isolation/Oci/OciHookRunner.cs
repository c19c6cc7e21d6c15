using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Text;

namespace Isolation;

/// <summary>Runs hooks, one after the other, each with the state on its standard input.</summary>
internal static class OciHookRunner
{
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
            using LastWords words = new();
            ContainerSpec spec = place with
            {
                Executable = hook.Path,
                Command = hook.Arguments,
                Environment = hook.Environment.Select(variable => variable.Split('=', 2)).Where(pair => pair.Length == 2).ToImmutableSortedDictionary(pair => pair[0], pair => pair[1], StringComparer.Ordinal),
                Input = InputSource.FromText(state.ToJson()),
                Timeout = hook.Timeout,
                NoNewPrivileges = false,
                Output = OutputTarget.ToStream(words),
                Error = OutputTarget.SameAsOutput,
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
            if (!result.Succeeded) throw new OciRuntimeException($"The hook {point} '{hook.Path}' failed: {result}{words}");
        }
    }

    /// <summary>The end of what a hook printed, which may be any amount: there it says why it failed.</summary>
    private sealed class LastWords : MemoryStream
    {
        private const int Most = 4096;

        public override void Write(byte[] buffer, int offset, int count)
        {
            base.Write(buffer, offset, count);
            if (Length <= Most) return;
            GetBuffer().AsSpan((int)Length - Most, Most).CopyTo(GetBuffer());
            SetLength(Most);
            Position = Most;
        }

        /// <summary>With nothing in it that a terminal would obey.</summary>
        public override string ToString()
        {
            string text = Encoding.UTF8.GetString(GetBuffer(), 0, (int)Length).Trim();
            return text.Length == 0 ? "" : ": " + string.Concat(text.Select(letter => char.IsControl(letter) && letter != '\n' ? '?' : letter));
        }
    }
}
