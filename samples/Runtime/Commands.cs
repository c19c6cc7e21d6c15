using System.Diagnostics;
using System.Globalization;
using Isolation.Cgroups;

namespace Isolation.Samples.Runtime;

internal sealed class Commands(OciRuntimeRoot root, bool systemdCgroup)
{
    private static readonly string[] CreateFlags = ["no-pivot", "no-new-keyring", "detach", "d", "keep", "no-subreaper", "no-mount-fallback"];
    private static readonly string[] CreateOptions = ["bundle", "b", "console-socket", "pid-file", "preserve-fds"];

    /// <summary>What failed, with the words by which engines know that a program was not found.</summary>
    internal static string Words(Exception exception) => exception.InnerException is ContainerException { Reason: var reason } && reason is ContainerErrorReason.ProgramNotFound or ContainerErrorReason.ProgramNotExecutable && Quoted(exception.Message) is { } name
        ? $"{exception.Message}: exec: \"{name}\": {(reason == ContainerErrorReason.ProgramNotExecutable ? "permission denied" : name.Contains('/', StringComparison.Ordinal) ? $"stat {name}: no such file or directory" : "executable file not found in $PATH")}"
        : exception.Message;

    internal async Task<int> RunAsync(string command, string[] words)
    {
        switch (command)
        {
            case "create": return await CreateAsync(Arguments.Parse(words, CreateFlags, CreateOptions, anywhere: true));
            case "run": return await RunAsync(Arguments.Parse(words, CreateFlags, CreateOptions, anywhere: true));
            case "start": await root.StartAsync(Arguments.Parse(words, [], []).Id()); return 0;
            case "exec": return await ExecAsync(Arguments.Parse(words, ["tty", "t", "detach", "d", "no-new-privs", "ignore-paused"],
                ["console-socket", "pid-file", "process", "p", "cwd", "env", "e", "user", "u", "additional-gids", "g", "cap", "c", "preserve-fds", "process-label", "apparmor", "cgroup"]));
            case "state": Console.WriteLine(root.GetState(Arguments.Parse(words, [], []).Id()).ToJson(details: true)); return 0;
            case "list": List(Arguments.Parse(words, ["quiet", "q"], ["format", "f"])); return 0;
            case "ps": return Processes(Arguments.Parse(words, [], ["format", "f"], anywhere: false));
            case "kill": Kill(Arguments.Parse(words, ["all", "a"], [], anywhere: true)); return 0;
            case "delete":
                Arguments delete = Arguments.Parse(words, ["force", "f"], [], anywhere: true);
                await root.DeleteAsync(delete.Id(), delete.Has("force", "f"));
                return 0;
            case "pause": await root.PauseAsync(Arguments.Parse(words, [], []).Id()); return 0;
            case "resume": root.Resume(Arguments.Parse(words, [], []).Id()); return 0;
            case "update": Update(Arguments.Parse(words, [], ["resources", "r", .. Limits.Options], anywhere: true)); return 0;
            case "events": return await EventsAsync(Arguments.Parse(words, ["stats"], ["interval"], anywhere: true));
            case "spec": return Spec(Arguments.Parse(words, ["rootless"], ["bundle", "b"]));
            case "features": Console.WriteLine(OciFeatures.ToJson()); return 0;
            default: throw new UsageException($"there is no command '{command}'");
        }
    }

    private async Task<int> CreateAsync(Arguments arguments)
    {
        await root.CreateAsync(arguments.Id(), Options(arguments, detached: true));
        return 0;
    }

    private async Task<int> RunAsync(Arguments arguments)
    {
        string id = arguments.Id();
        using SignalForwarding signals = new(signal => root.Kill(id, signal));
        OciProgram program = await root.CreateAsync(id, Options(arguments, arguments.Has("detach", "d")));
        try
        {
            await root.StartAsync(id);
            if (arguments.Has("detach", "d")) return 0;
            int code = await EndAsync(program);
            if (!arguments.Has("keep")) await root.DeleteAsync(id, force: true);
            return code;
        }
        catch (OciRuntimeException)
        {
            await root.DeleteAsync(id, force: true);
            throw;
        }
    }

    private OciCreateOptions Options(Arguments arguments, bool detached) => new()
    {
        Bundle = arguments.Value("bundle", "b") ?? ".",
        ConsoleSocket = arguments.Value("console-socket") is { Length: > 0 } socket ? socket : null,
        PidFile = arguments.Value("pid-file") is { Length: > 0 } file ? file : null,
        PreservedDescriptors = arguments.Number("preserve-fds"),
        LeavesExitStatus = detached,
        KeepsKeyring = arguments.Has("no-new-keyring"),
        NoPivot = arguments.Has("no-pivot"),
        SystemdCgroup = systemdCgroup,
    };

    private async Task<int> ExecAsync(Arguments arguments)
    {
        if (arguments.Rest.Count == 0) throw new UsageException("container id cannot be empty");
        if (arguments.Value("cgroup") is not null) throw new UsageException("--cgroup cannot be had: a further program is in the control group of its container");
        string? process = arguments.Value("process", "p");
        if (process is null && arguments.Rest.Count < 2) throw new UsageException("process args cannot be empty");
        OciProgram? program = null;
        using SignalForwarding signals = new(signal => Volatile.Read(ref program)?.Signal(signal));
        program = await root.ExecAsync(arguments.Rest[0], new()
        {
            ProcessJson = process is null ? null : File.ReadAllText(process),
            Command = [.. arguments.Rest.Skip(1)],
            Environment = arguments.All("env", "e"),
            WorkingDirectory = arguments.Value("cwd"),
            User = arguments.Value("user", "u"),
            AdditionalGroups = [.. arguments.All("additional-gids", "g").Select(text => uint.Parse(text, CultureInfo.InvariantCulture))],
            Capabilities = arguments.All("cap", "c"),
            AppArmorProfile = arguments.Value("apparmor") is { Length: > 0 } profile ? profile : null,
            SelinuxLabel = arguments.Value("process-label") is { Length: > 0 } label ? label : null,
            Terminal = arguments.Has("tty", "t") ? true : process is null ? false : null,
            NoNewPrivileges = arguments.Has("no-new-privs") ? true : null,
            ConsoleSocket = arguments.Value("console-socket") is { Length: > 0 } socket ? socket : null,
            PidFile = arguments.Value("pid-file") is { Length: > 0 } file ? file : null,
            PreservedDescriptors = arguments.Number("preserve-fds"),
            LeavesExitStatus = arguments.Has("detach", "d"),
        });
        return arguments.Has("detach", "d") ? 0 : await EndAsync(program);
    }

    /// <summary>The exit code of a program, as a shell has it.</summary>
    private static async Task<int> EndAsync(OciProgram program)
    {
        Task attached = program.Terminal?.AttachConsoleAsync() ?? Task.CompletedTask;
        ContainerResult result = await program.WaitAsync();
        await attached.WaitAsync(TimeSpan.FromSeconds(1)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return result.ExitCode ?? 128 + (result.Signal ?? 0);
    }

    private void List(Arguments arguments)
    {
        IReadOnlyList<OciState> states = root.List();
        if (arguments.Has("quiet", "q")) foreach (OciState state in states) Console.WriteLine(state.Id);
        else if (arguments.Value("format", "f") == "json") Console.WriteLine("[" + string.Join(',', states.Select(state => state.ToJson(details: true))) + "]");
        else
        {
            Console.WriteLine($"{"ID",-32} {"PID",-10} {"STATUS",-10} {"BUNDLE",-40} CREATED");
            foreach (OciState state in states) Console.WriteLine($"{state.Id,-32} {state.ProcessId,-10} {state.Status.ToString().ToLowerInvariant(),-10} {state.Bundle,-40} {state.Created.UtcDateTime:O}");
        }
    }

    private int Processes(Arguments arguments)
    {
        if (arguments.Rest.Count == 0) throw new UsageException("container id cannot be empty");
        HashSet<int> processes = [.. root.Processes(arguments.Rest[0])];
        if (arguments.Value("format", "f") == "json")
        {
            Console.WriteLine("[" + string.Join(',', processes.Select(id => id.ToString(CultureInfo.InvariantCulture))) + "]");
            return 0;
        }

        ProcessStartInfo start = new("ps") { RedirectStandardOutput = true };
        foreach (string word in arguments.Rest.Count > 1 ? arguments.Rest.Skip(1) : ["-ef"]) start.ArgumentList.Add(word);
        using Process ps = Process.Start(start) ?? throw new IOException("ps cannot be started");
        string[] lines = ps.StandardOutput.ReadToEnd().TrimEnd('\n').Split('\n');
        ps.WaitForExit();
        int column = Array.IndexOf(lines[0].Split(' ', StringSplitOptions.RemoveEmptyEntries), "PID");
        if (column < 0) throw new UsageException("the output of ps has no column PID");
        Console.WriteLine(lines[0]);
        foreach (string line in lines.Skip(1))
            if (line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is { } fields && fields.Length > column && int.TryParse(fields[column], CultureInfo.InvariantCulture, out int id) && processes.Contains(id)) Console.WriteLine(line);
        return ps.ExitCode;
    }

    private void Kill(Arguments arguments)
    {
        if (arguments.Rest.Count is 0 or > 2) throw new UsageException("kill takes a container id and a signal");
        string text = arguments.Rest.Count > 1 ? arguments.Rest[1] : "SIGTERM";
        root.Kill(arguments.Rest[0], OciRuntimeRoot.SignalNumber(text) ?? throw new UsageException($"unknown signal \"{text}\""), arguments.Has("all", "a"));
    }

    private void Update(Arguments arguments) =>
        root.Update(arguments.Id(), arguments.Value("resources", "r") is { } file ? (file == "-" ? Console.In.ReadToEnd() : File.ReadAllText(file)) : Limits.ToJson(arguments));

    private async Task<int> EventsAsync(Arguments arguments)
    {
        string id = arguments.Id();
        TimeSpan interval = TimeSpan.FromSeconds(5);
        if (arguments.Value("interval") is { } text && !(text.EndsWith('s') && double.TryParse(text[..^1], CultureInfo.InvariantCulture, out double seconds) && seconds > 0 && (interval = TimeSpan.FromSeconds(seconds)) > TimeSpan.Zero))
            throw new UsageException($"invalid value \"{text}\" for flag -interval");
        do
        {
            CgroupStats stats = root.ReadStats(id);
            Console.WriteLine(OciEvents.ToJson(id, stats));
            if (arguments.Has("stats")) return 0;
            await Task.Delay(interval);
        }
        while (root.GetState(id).Status is not OciStatus.Stopped);
        return 0;
    }

    private static int Spec(Arguments arguments)
    {
        string path = Path.Join(arguments.Value("bundle", "b") ?? ".", "config.json");
        if (File.Exists(path)) throw new IOException($"File {path} exists. Remove it first");
        File.WriteAllText(path, OciFeatures.ExampleConfig(arguments.Has("rootless")));
        return 0;
    }

    private static string? Quoted(string message) => message.Split('\'') is { Length: > 2 } parts ? parts[1] : null;
}
