using System.Diagnostics;
using System.Globalization;
using Isolation.Cgroups;

namespace Isolation.Samples.Runtime;

internal sealed class Commands(OciRuntimeRoot root, bool systemdCgroup, Log log)
{
    /// <summary>What failed, with the words by which engines know that a program was not found.</summary>
    internal static string Words(Exception exception) => exception.InnerException is ContainerException { Reason: var reason } && reason is ContainerErrorReason.ProgramNotFound or ContainerErrorReason.ProgramNotExecutable && Quoted(exception.Message) is { } name
        ? $"{exception.Message}: exec: \"{name}\": {(reason == ContainerErrorReason.ProgramNotExecutable ? "permission denied" : name.Contains('/', StringComparison.Ordinal) ? $"stat {name}: no such file or directory" : "executable file not found in $PATH")}"
        : exception.Message;

    internal async Task<int> RunAsync(string command, Arguments arguments)
    {
        switch (command)
        {
            case "create": await root.CreateAsync(arguments.Id(), Options(arguments, detached: true)); return 0;
            case "run": return await RunAsync(arguments);
            case "start": await root.StartAsync(arguments.Id()); return 0;
            case "exec": return await ExecAsync(arguments);
            case "state": Console.WriteLine(root.GetState(arguments.Id()).ToJson(details: true)); return 0;
            case "list": List(arguments); return 0;
            case "ps": return Processes(arguments);
            case "kill": Kill(arguments); return 0;
            case "delete": await root.DeleteAsync(arguments.Id(), arguments.Has("force")); return 0;
            case "pause": await root.PauseAsync(arguments.Id()); return 0;
            case "resume": root.Resume(arguments.Id()); return 0;
            case "update": Update(arguments); return 0;
            case "events": await EventsAsync(arguments); return 0;
            case "spec": return Spec(arguments);
            case "features": Console.WriteLine(OciFeatures.ToJson()); return 0;
            default: throw new UsageException($"there is no command '{command}'");
        }
    }

    private async Task<int> RunAsync(Arguments arguments)
    {
        string id = arguments.Id();
        using SignalForwarding signals = new(signal => root.Kill(id, signal));
        OciProgram program = await root.CreateAsync(id, Options(arguments, arguments.Has("detach")));
        try
        {
            await root.StartAsync(id);
            if (arguments.Has("detach")) return 0;
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
        Bundle = arguments.Value("bundle") ?? ".",
        ConsoleSocket = arguments.Filled("console-socket"),
        PidfdSocket = arguments.Filled("pidfd-socket"),
        PidFile = arguments.Filled("pid-file"),
        PreservedDescriptors = arguments.Number("preserve-fds"),
        LeavesExitStatus = detached,
        KeepsKeyring = arguments.Has("no-new-keyring"),
        NoPivot = arguments.Has("no-pivot"),
        SystemdCgroup = systemdCgroup,
    };

    private async Task<int> ExecAsync(Arguments arguments)
    {
        if (arguments.Rest.Count == 0) throw new UsageException("container id cannot be empty");
        string? process = arguments.Value("process");
        if (process is null && arguments.Rest.Count < 2) throw new UsageException("process args cannot be empty");
        OciProgram? program = null;
        using SignalForwarding signals = new(signal => Volatile.Read(ref program)?.Signal(signal));
        program = await root.ExecAsync(arguments.Rest[0], new()
        {
            ProcessJson = process is null ? null : File.ReadAllText(process),
            Command = [.. arguments.Rest.Skip(1)],
            Environment = arguments.All("env"),
            WorkingDirectory = arguments.Value("cwd"),
            User = arguments.Value("user"),
            AdditionalGroups = [.. arguments.All("additional-gids").Select(text => uint.Parse(text, CultureInfo.InvariantCulture))],
            Capabilities = arguments.All("cap"),
            AppArmorProfile = arguments.Filled("apparmor"),
            SelinuxLabel = arguments.Filled("process-label"),
            Terminal = arguments.Has("tty") ? true : process is null ? false : null,
            NoNewPrivileges = arguments.Has("no-new-privs") ? true : null,
            ConsoleSocket = arguments.Filled("console-socket"),
            PidfdSocket = arguments.Filled("pidfd-socket"),
            PidFile = arguments.Filled("pid-file"),
            ControlGroups = arguments.All("cgroup"),
            IgnoresPause = arguments.Has("ignore-paused"),
            PreservedDescriptors = arguments.Number("preserve-fds"),
            LeavesExitStatus = arguments.Has("detach"),
        });
        return arguments.Has("detach") ? 0 : await EndAsync(program);
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
        bool json = Format(arguments) == "json";
        IReadOnlyList<OciState> states = root.List();
        if (arguments.Has("quiet")) foreach (OciState state in states) Console.WriteLine(state.Id);
        else if (json) Console.WriteLine("[" + string.Join(',', states.Select(state => state.ToJson(details: true))) + "]");
        else
        {
            Console.WriteLine($"{"ID",-32} {"PID",-10} {"STATUS",-10} {"BUNDLE",-40} {"CREATED",-30} OWNER");
            foreach (OciState state in states) Console.WriteLine($"{state.Id,-32} {state.ProcessId,-10} {state.Status.ToString().ToLowerInvariant(),-10} {state.Bundle,-40} {state.Created.UtcDateTime,-30:O} {state.Owner}");
        }
    }

    private static string Format(Arguments arguments) => arguments.Choice("format", "table", "json");

    private int Processes(Arguments arguments)
    {
        if (arguments.Rest.Count == 0) throw new UsageException("container id cannot be empty");
        bool json = Format(arguments) == "json";
        HashSet<int> processes = [.. root.Processes(arguments.Rest[0])];
        if (json)
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
        root.Kill(arguments.Rest[0], OciRuntimeRoot.SignalNumber(text) ?? throw new UsageException($"unknown signal \"{text}\""), arguments.Has("all"));
    }

    private void Update(Arguments arguments)
    {
        string id = arguments.Id();
        foreach (string option in Limits.Gone)
            if (arguments.Value(option) is not null) log.Warning($"--{option} changes nothing: memory of the kernel is limited with --memory (deprecated in Linux 5.4)");
        root.Update(id, arguments.Value("resources") is { } file ? (file == "-" ? Console.In.ReadToEnd() : File.ReadAllText(file)) : Limits.ToJson(arguments));
    }

    private async Task EventsAsync(Arguments arguments)
    {
        string id = arguments.Id();
        TimeSpan interval = TimeSpan.FromSeconds(5);
        if (arguments.Value("interval") is { } text && (interval = Duration.Parse(text) ?? TimeSpan.Zero) <= TimeSpan.Zero) throw new UsageException($"invalid value \"{text}\" for flag -interval: as 500ms, 5s or 1m");
        Console.WriteLine(OciEvents.ToJson(id, root.ReadStats(id)));
        if (arguments.Has("stats")) return;
        using CancellationTokenSource over = new();
        Task told = TellOutOfMemoryAsync(id, over.Token);
        try
        {
            while (true)
            {
                await Task.Delay(interval);
                Console.WriteLine(OciEvents.ToJson(id, root.ReadStats(id)));
            }
        }
        catch (OciRuntimeException)
        {
            // It has ended, and may be deleted by now.
        }

        await over.CancelAsync();
        await told;
    }

    private async Task TellOutOfMemoryAsync(string id, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (CgroupEvent next in root.WatchAsync(id, [CgroupEventKind.OutOfMemory], cancellationToken)) Console.WriteLine(OciEvents.OutOfMemory(id));
        }
        catch (OciRuntimeException exception)
        {
            log.Warning(exception.Message);
        }
        catch (OperationCanceledException)
        {
            // The container has ended.
        }
    }

    private static int Spec(Arguments arguments)
    {
        string path = Path.Join(arguments.Value("bundle") ?? ".", "config.json");
        if (File.Exists(path)) throw new IOException($"File {path} exists. Remove it first");
        File.WriteAllText(path, OciFeatures.ExampleConfig(arguments.Has("rootless")));
        return 0;
    }

    private static string? Quoted(string message) => message.Split('\'') is { Length: > 2 } parts ? parts[1] : null;
}
