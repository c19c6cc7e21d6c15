using Isolation.Linux;
using static Isolation.Linux.Abi;
using static Isolation.Linux.SystemCall;

namespace Isolation.Launch;

/// <summary>
/// execve(2), with the search of execvp(3): a name without a slash is looked for in the container's PATH, inside the
/// container and as the user who will run it.
/// </summary>
internal static class ExecSteps
{
    internal const string Purpose = "start the program";

    /// <summary>Length of the message that says a candidate was there but may not be executed: its first word is -EACCES, or 0.</summary>
    internal const int DeniedSize = 24;

    /// <summary>Length of the message that says a candidate is there, so that it is its interpreter that is missing.</summary>
    internal const int PresentSize = 20;

    internal static IReadOnlyList<string> Candidates(ContainerSpec spec)
    {
        string name = spec.Executable ?? spec.Command[0];
        if (name.Contains('/')) return [name];
        string path = spec.Environment.GetValueOrDefault("PATH") ?? "/usr/local/bin:/usr/bin:/bin";
        return [.. path.Split(':').Select(directory => directory.Length == 0 ? "./" + name : $"{directory.TrimEnd('/')}/{name}")];
    }

    internal static void Write(PlanWriter writer, ContainerSpec spec, Identity identity)
    {
        IReadOnlyList<string> candidates = Candidates(spec);
        Operand arguments = Operand.Texts([.. spec.Command]);
        Operand environment = Operand.Texts(Environment(spec, identity));
        Label missing = new("program not found");

        Slot denied = new("denied", DeniedSize);
        writer.For(Purpose);
        for (int i = 0; i < candidates.Count; i++)
        {
            Label next = i == candidates.Count - 1 ? missing : new Label($"candidate {i + 2}");
            LaunchStep first = writer.Call(execve, candidates[i], arguments, environment).When(-(int)Errno.ENOENT, next);
            if (candidates.Count == 1) break;

            // A step compares with one value; that a failed execve can be tried again costs nothing where it matters.
            Label notADirectory = new($"is candidate {i + 1} below a file?"), notExecutable = new($"is candidate {i + 1} denied?");
            first.OnErrorGo(notADirectory);
            writer.Mark(notADirectory);
            writer.Call(execve, candidates[i], arguments, environment).When(-(int)Errno.ENOTDIR, next).OnErrorGo(notExecutable);
            writer.Mark(notExecutable);
            writer.Call(execve, candidates[i], arguments, environment).Into(denied).When(-(int)Errno.EACCES, next);
            if (next != missing) writer.Mark(next);
        }

        writer.Mark(missing);
        Label present = new("program found, interpreter missing"), fail = new("say why the program does not start");
        foreach (string candidate in candidates)
            writer.Call(faccessat, Operand.CurrentDirectory, candidate, Operand.Named(F_OK, "F_OK")).When(0, present).IgnoreErrors();
        writer.Call(write, writer.Channel, Operand.AddressOf(denied), DeniedSize);
        writer.Mark(fail);
        writer.Call(execve, candidates[^1], arguments, environment);
        writer.Later(() =>
        {
            writer.Mark(present);
            writer.Call(write, writer.Channel, Operand.AddressOf(denied), PresentSize).When(PresentSize, fail);
        });
    }

    private static List<string> Environment(ContainerSpec spec, Identity identity)
    {
        List<string> variables = [.. spec.Environment.Select(pair => $"{pair.Key}={pair.Value}")];
        if (!spec.Environment.ContainsKey("HOME")) variables.Add("HOME=" + identity.Home);
        return variables;
    }
}
