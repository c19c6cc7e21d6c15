namespace Isolation.Samples.Runtime;

/// <summary>What a command is called with. A flag has its names in one string, the long one first.</summary>
/// <param name="Name">Of the command.</param>
/// <param name="Words">What follows the flags.</param>
/// <param name="Does">In a few words.</param>
/// <param name="Flags">Those that take no value.</param>
/// <param name="Options">Those that take one.</param>
/// <param name="Anywhere">Whether flags may also stand behind other words.</param>
internal sealed record CommandSyntax(string Name, string Words, string Does, string[] Flags, string[] Options, bool Anywhere = false)
{
    private const string Id = "<container-id>";
    private static readonly string[] Making = ["no-pivot", "no-new-keyring", "no-mount-fallback"], MakingOptions = ["bundle b", "console-socket", "pidfd-socket", "pid-file", "preserve-fds"];

    internal static CommandSyntax Global { get; } = new("", "command", "Open Container Initiative runtime", ["debug", "systemd-cgroup", "version v"], ["root", "log", "log-format", "rootless", "criu"]);

    internal static CommandSyntax[] All { get; } =
    [
        new("create", Id, "make a container of a bundle", Making, MakingOptions, Anywhere: true),
        new("start", Id, "start the program of a container that is made", [], []),
        new("run", Id, "make a container of a bundle and start it", [.. Making, "detach d", "keep", "no-subreaper"], MakingOptions, Anywhere: true),
        new("exec", $"{Id} <command> [argument...]", "start a further program in a container",
            ["tty t", "detach d", "no-new-privs", "ignore-paused"],
            ["process p", "cwd", "env e", "user u", "additional-gids g", "cap c", "process-label", "apparmor", "cgroup", "console-socket", "pidfd-socket", "pid-file", "preserve-fds"]),
        new("state", Id, "say what state a container is in", [], []),
        new("list", "", "list the containers", ["quiet q"], ["format f"]),
        new("ps", $"{Id} [option of ps...]", "show the processes of a container", [], ["format f"]),
        new("kill", $"{Id} [signal]", "send a signal to a container, SIGTERM where none is named", ["all a"], [], Anywhere: true),
        new("delete", Id, "remove a container that is stopped, and what is left of it", ["force f"], [], Anywhere: true),
        new("pause", Id, "stop all processes of a container", [], []),
        new("resume", Id, "let them go on", [], []),
        new("update", Id, "change the limits of a container", [], ["resources r", .. Limits.Options], Anywhere: true),
        new("events", Id, "tell of memory that ran out, and figures at intervals", ["stats"], ["interval"], Anywhere: true),
        new("spec", "", "write a configuration to begin with", ["rootless"], ["bundle b"]),
        new("features", "", "say what this runtime can do", [], []),
    ];

    /// <exception cref="UsageException">There is none.</exception>
    internal static CommandSyntax Of(string command) => All.FirstOrDefault(syntax => syntax.Name == command) ?? throw new UsageException($"No help topic for '{command}': there is no such command");

    /// <summary>In the form that runc's has.</summary>
    internal string Help()
    {
        string name = Name.Length == 0 ? "isolation-runtime" : "isolation-runtime " + Name;
        List<string> lines = ["NAME:", $"   {name} - {Does}", "", "USAGE:", $"   {name} [options] {Words}".TrimEnd()];
        if (Name.Length == 0) lines.AddRange(["", "COMMANDS:", .. All.Select(command => $"   {command.Name,-10} {command.Does}")]);
        lines.AddRange(["", "OPTIONS:", .. Options.Select(option => Line(option) + " value"), .. Flags.Append("help h").Select(Line)]);
        return string.Join('\n', lines);
    }

    private static string Line(string names) => "   " + string.Join(", ", names.Split(' ').Select(name => name.Length == 1 ? "-" + name : "--" + name));
}
