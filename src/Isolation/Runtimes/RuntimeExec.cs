using System.Globalization;

namespace Isolation;

/// <summary>Further programs in a container under another runtime: by its command <c>exec</c>, in the namespaces of the runtime.</summary>
internal static class RuntimeExec
{
    /// <summary>A command of the runtime.</summary>
    internal static ContainerSpec Raw(Container container, params ReadOnlySpan<string> words)
    {
        RuntimeUse use = container.Launch.Spec.RuntimeUse!;
        return ExecSpec.In(container) with { Command = [.. use.Command.Select(word => word.Replace("/proc/self/fd/3", "/dev/null", StringComparison.Ordinal)), .. words] };
    }

    /// <summary>Sends a signal to the container's program, by the runtime: its own command need not pass any on.</summary>
    /// <returns>Whether it was sent.</returns>
    internal static async Task<bool> SignalAsync(Container container, int signal)
    {
        try
        {
            return (await Raw(container, ["kill", RuntimeUse.Id, signal.ToString(CultureInfo.InvariantCulture)]).RunAsync().ConfigureAwait(false)).Succeeded;
        }
        catch (Exception exception) when (exception is ContainerException or ContainerStateException)
        {
            return false;
        }
    }

    /// <summary>What to start for a program that was said by a builder.</summary>
    /// <exception cref="InvalidOperationException">The runtime cannot be told what was said.</exception>
    internal static ContainerSpec Of(Container container, ContainerSpec draft)
    {
        ContainerSpec asked = container.Spec;
        List<string> words = ["exec"];
        if (draft.Terminal is not null) words.Add("--tty");
        words.AddRange(["--cwd", draft.WorkingDirectory]);
        if (draft.User is { } user && user != asked.User)
        {
            if (!user.User.All(char.IsAsciiDigit) || user.Group?.All(char.IsAsciiDigit) == false) throw new InvalidOperationException($"The user '{user}' is to be numbers for a program under another runtime.");
            words.AddRange(["--user", user.Group is null ? user.User : $"{user.User}:{user.Group}"]);
        }

        // All of it: to some runtimes it takes the place of the container's, to others it comes on top.
        foreach ((string name, string value) in draft.Environment) words.AddRange(["--env", $"{name}={value}"]);
        words.Add(RuntimeUse.Id);
        words.AddRange(draft.Command);
        return Raw(container, [.. words]) with
        {
            Input = draft.Input, Output = draft.Output, Error = draft.Error, OutputLimit = draft.OutputLimit, Terminal = draft.Terminal, Timeout = draft.Timeout, StopSignal = draft.StopSignal,
            OnEvent = draft.OnEvent, Logger = draft.Logger,
        };
    }
}
