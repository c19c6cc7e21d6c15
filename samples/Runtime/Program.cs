using Isolation;
using Isolation.Samples.Runtime;

// isolation-runtime: an OCI runtime, with runc's commands and flags. Success is exit code 0, or that of the program; an error is 1, or 255 of exec.
Memory.Populate();
Log log = new(null, json: false, debug: false);
string command = "";
try
{
    Arguments global = Arguments.Parse(args, CommandSyntax.Global);
    log = new(global.Value("log"), global.Choice("log-format", "text", "json") == "json", global.Has("debug"));
    global.Choice("rootless", "auto", "true", "false");
    if (global.Has("version"))
    {
        Console.WriteLine($"isolation-runtime version 1.0.0\nspec: {OciState.SpecificationVersion}");
        return 0;
    }

    if (global.Has("help") || global.Rest is [] or ["help" or "h"])
    {
        Console.WriteLine(CommandSyntax.Global.Help());
        return global.Rest.Count == 0 && !global.Has("help") ? 1 : 0;
    }

    bool asksForHelp = global.Rest[0] is "help" or "h";
    command = global.Rest[asksForHelp ? 1 : 0];
    CommandSyntax syntax = CommandSyntax.Of(command);
    Arguments arguments = Arguments.Parse(global.Rest.Skip(asksForHelp ? 2 : 1), syntax);
    if (asksForHelp || arguments.Has("help"))
    {
        Console.WriteLine(syntax.Help());
        return 0;
    }

    if (global.Value("criu") is not null) log.Warning("--criu changes nothing: there is no checkpoint");
    log.Debug(string.Join(' ', args));
    int code = await new Commands(new OciRuntimeRoot(global.Value("root")), global.Has("systemd-cgroup"), log).RunAsync(command, arguments);
    log.Debug($"{command} ends with exit code {code}");
    return code;
}
catch (Exception exception)
{
    log.Error(Commands.Words(exception));
    return command == "exec" ? 255 : 1;
}
