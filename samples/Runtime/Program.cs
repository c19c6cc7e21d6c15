using Isolation;
using Isolation.Samples.Runtime;

// isolation-runtime: an OCI runtime, with runc's commands and flags. Success is exit code 0, or that of the program; an error is 1, or 255 of exec.
const string Usage = """
    usage: isolation-runtime [--root DIR] [--log FILE] [--log-format text|json] [--systemd-cgroup] [--rootless BOOL] COMMAND

    create, run      make a container of a bundle; and start it
    start            start the program of a container that is made
    exec             start a further program
    state, list, ps  what there is
    kill, delete     signal, remove
    pause, resume    stop all, let all go on
    update, events   limits, figures
    spec, features   a configuration to begin with; what this runtime can do
    """;

Memory.Populate();
Log log = new(null, json: false);
string command = "";
try
{
    Arguments global = Arguments.Parse(args, ["debug", "systemd-cgroup", "help", "h", "version", "v"], ["root", "log", "log-format", "rootless", "criu"]);
    log = new(global.Value("log"), global.Value("log-format") == "json");
    if (global.Has("version", "v"))
    {
        Console.WriteLine($"isolation-runtime version 1.0.0\nspec: {OciState.SpecificationVersion}");
        return 0;
    }

    if (global.Has("help", "h") || global.Rest.Count == 0)
    {
        Console.WriteLine(Usage);
        return global.Rest.Count == 0 && !global.Has("help", "h") ? 1 : 0;
    }

    command = global.Rest[0];
    return await new Commands(new OciRuntimeRoot(global.Value("root")), global.Has("systemd-cgroup")).RunAsync(command, [.. global.Rest.Skip(1)]);
}
catch (Exception exception)
{
    log.Error(Commands.Words(exception));
    return command == "exec" ? 255 : 1;
}
