namespace Isolation.Benchmarks;

internal static class Program
{
    private static readonly (string Name, Func<Options, Report, Task> Run)[] Modes =
    [
        ("peers", PeersMode.RunAsync),
        ("exec", ExecMode.RunAsync),
        ("output", OutputMode.RunAsync),
        ("filter", FilterMode.RunAsync),
        ("limits", LimitsMode.RunAsync),
        ("runtime", RuntimeMode.RunAsync),
        ("images", ImagesMode.RunAsync),
        ("registry", RegistryMode.RunAsync),
        ("image-use", ImageUseMode.RunAsync),
        ("decompression", DecompressionMode.RunAsync),
        ("crowd", CrowdMode.RunAsync),
        ("heap", HeapMode.RunAsync),
        ("allocations", AllocationsMode.RunAsync),
        ("inflight", InFlightMode.RunAsync),
        ("threads", ThreadsMode.RunAsync),
        ("parts", PartsMode.RunAsync),
        ("trace", TraceMode.RunAsync),
        ("bdn", PureMode.RunAsync),
    ];

    private static async Task<int> Main(string[] arguments)
    {
        Options options;
        try
        {
            options = Options.Parse(arguments);
        }
        catch (ArgumentException exception)
        {
            await Console.Error.WriteLineAsync($"{exception.Message}\n\n{Options.Usage}");
            return 2;
        }

        if (options.Mode == HeapMode.ChildMode) return await HeapChild.RunAsync(options);
        if (options.Mode == RegistryMode.ChildMode) return await RegistryMode.PullAsync(options);
        var modes = options.Mode == "all" ? Modes : [.. Modes.Where(mode => options.Mode.Split(',').Contains(mode.Name))];
        if (modes.Length == 0)
        {
            await Console.Error.WriteLineAsync($"Unknown mode '{options.Mode}'.\n\n{Options.Usage}");
            return 2;
        }

        if (options.Mode is "peers" or "exec" or "limits" or "filter" or "runtime" or "all" && WithoutUnifiedHierarchy.IsNeeded) return await WithoutUnifiedHierarchy.RunAgainAsync(arguments);
        Report report = new();
        Machine.Describe(report, options);
        foreach ((_, Func<Options, Report, Task> run) in modes) await run(options, report);
        if (options.Out is not null) report.Save(options.Out);
        return 0;
    }
}
