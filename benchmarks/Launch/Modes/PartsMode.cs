namespace Isolation.Benchmarks;

/// <summary>The cost of each part: the headline without it, beside the headline with it.</summary>
internal static class PartsMode
{
    internal static async Task RunAsync(Options options, Report report)
    {
        using BusyboxRoot root = new();
        Entry whole = new("all but user and time", Specs.Run(Specs.Headline(root)));
        List<Entry> entries = [whole, .. Variants(root).Where(entry => options.Only is not { } only || entry.Name.Contains(only, StringComparison.OrdinalIgnoreCase))];
        int rounds = options.Rounds ?? 200;
        await Interleaved.RunAsync(entries, options.Warmup ?? 20, rounds);
        report.Heading("Parts: what each costs",
            $"{rounds} rounds, interleaved. `differs by` is the variant's median minus that of the whole: what is left out costs that much less. "
            + "Differences below the noise (compare the rows of parts that cost nothing) say nothing.");
        report.Table(["what", "min ms", "median ms", "differs by ms", "min differs by ms"], entries.Select(entry => entry.Failure is { } failure
            ? (string[])[entry.Name, "not measured", failure, "", ""]
            :
            [
                entry.Name, Report.Number(entry.Samples.Min), Report.Number(entry.Samples.Median),
                Report.Number(entry.Samples.Median - whole.Samples.Median), Report.Number(entry.Samples.Min - whole.Samples.Min),
            ]));
    }

    private static IEnumerable<Entry> Variants(BusyboxRoot root)
    {
        foreach (NamespaceKind kind in (NamespaceKind[])[NamespaceKind.Network, NamespaceKind.Ipc, NamespaceKind.Uts, NamespaceKind.Cgroup, NamespaceKind.Pid])
            yield return Of($"without {kind.ToString().ToLowerInvariant()}{(kind == NamespaceKind.Pid ? " (and /proc bound)" : "")}", builder => builder.WithNamespace(kind, NamespaceSource.Host));
        yield return new Entry("without mount (no mounts at all)", Specs.Run(OnHostFiles()));
        yield return Of("with user", builder => builder.WithUserNs());
        yield return Of("with time", builder => builder.WithTimeNs());
        yield return Of("without /proc (and its masks)", builder => builder.WithProc(ProcMount.None));
        yield return Of("without /tmp", builder => builder.WithTmpSize(0));
        yield return Of("without /run", builder => builder.WithRunSize(0));
        yield return Of("without /tmp and /run", builder => builder.WithTmpSize(0).WithRunSize(0));
        yield return Of("without masks and read-only paths", builder => builder.WithNesting());
        yield return Of("/dev bound instead of made", builder => builder.WithBind("/dev", "/dev"));
        yield return Of("/sys bound instead of made", builder => builder.WithReadOnlyBind("/sys", "/sys"));
        yield return Of("/dev/shm a bind of a directory", builder => builder.WithBind(root.Scratch("shm"), "/dev/shm"));
        yield return Of("with every capability", builder =>
        {
            foreach (Capability capability in Enum.GetValues<Capability>()) builder.AddCapability(capability);
            return builder;
        });

        Entry Of(string name, Func<ContainerBuilder, ContainerBuilder> change)
        {
            try
            {
                return new Entry(name, Specs.Run(change(Specs.Headline(root))));
            }
            catch (Exception exception) when (exception is InvalidOperationException or ArgumentException)
            {
                return Entry.Missing(name, exception.Message);
            }
        }

        ContainerBuilder OnHostFiles()
        {
            ContainerBuilder builder = new ContainerBuilder().WithCommand(root.Program);
            foreach (NamespaceKind kind in (NamespaceKind[])[NamespaceKind.User, NamespaceKind.Time, NamespaceKind.Mount]) builder.WithNamespace(kind, NamespaceSource.Host);
            return builder;
        }
    }
}
