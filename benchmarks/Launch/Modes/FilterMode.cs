using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;

namespace Isolation.Benchmarks;

/// <summary>What a filter costs: each system call of a program that makes them in a loop, and the launch.</summary>
internal static class FilterMode
{
    // getppid is allowed whatever its arguments, and such calls the kernel answers from a bitmap without running any filter (Linux 5.11); personality is decided by its argument.
    private const string Loop = """
        #include <stdio.h>
        #include <time.h>
        #include <unistd.h>
        #include <sys/syscall.h>
        static double loop(long number, unsigned long argument)
        {
            struct timespec start, end;
            clock_gettime(CLOCK_MONOTONIC, &start);
            for (int i = 0; i < 1000000; i++) syscall(number, argument);
            clock_gettime(CLOCK_MONOTONIC, &end);
            return ((end.tv_sec - start.tv_sec) * 1e9 + (end.tv_nsec - start.tv_nsec)) / 1e6;
        }
        int main(void) { printf("%.3f %.3f\n", loop(SYS_getppid, 0), loop(SYS_personality, 0xffffffff)); return 0; }
        """;

    internal static async Task RunAsync(Options options, Report report)
    {
        using BusyboxRoot root = new();
        await LaunchAsync(options, report, root);
        if (Tools.Find("gcc") is not { } compiler)
        {
            report.Line("System calls were not measured: gcc is not installed.");
            return;
        }

        string source = Path.Join(root.Scratch("loop"), "loop.c");
        await File.WriteAllTextAsync(source, Loop);
        await Tools.RunCapturedAsync(compiler, "-O2", "-static", "-o", Path.Join(root.Path, "bin/loop"), source);
        JsonObject filter = ToOci(SeccompPolicy.Default);
        List<(string Name, Func<Task<string>> Run)> ways =
        [
            ("no filter", OursAsync(root, builder => builder.WithoutSeccomp())),
            ("**Isolation, the default**", OursAsync(root, builder => builder)),
            ("**Isolation, strict**", OursAsync(root, builder => builder.WithSeccomp(SeccompPolicy.Strict))),
        ];
        foreach ((string tool, string[] flags) in (ReadOnlySpan<(string, string[])>)[("crun", ["--cgroup-manager=disabled"]), ("runc", [])])
        {
            if (Tools.Find(tool) is not { } path) continue;
            Bundle bundle = new(root, (JsonObject)filter.DeepClone(), "bundle-" + tool, "/bin/loop");
            string state = root.Scratch(tool);
            int count = 0;
            ways.Add(($"{tool}: the same policy by libseccomp", () => PeerAsync(path, [.. flags, "--root", state, "run", "--bundle", bundle.Path, string.Create(CultureInfo.InvariantCulture, $"isolation-benchmark-{Environment.ProcessId}-{count++}")])));
        }

        Samples[] plain = [.. ways.Select(_ => new Samples())], asked = [.. ways.Select(_ => new Samples())];
        Entry[] entries = [.. ways.Select((way, i) => new Entry(way.Name, async () =>
        {
            string[] words = (await way.Run()).Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
            plain[i].Add(double.Parse(words[0], CultureInfo.InvariantCulture));
            asked[i].Add(double.Parse(words[1], CultureInfo.InvariantCulture));
        }))];
        int rounds = options.Rounds ?? 20;
        await Interleaved.RunAsync(entries, 1, rounds);
        report.Heading("Filters: nanoseconds a system call",
            $"A static C program makes a million of each; {rounds} rounds, interleaved. `getppid` is allowed whatever its arguments; of `personality` the filter looks at the argument. The policy is the same in all, but for the strict one.");
        report.Table(["what", "getppid min", "getppid median", "personality min", "personality median"], entries.Select((entry, i) => entry.Failure is { } failure
            ? (string[])[entry.Name, "not measured", failure, "", ""]
            : [entry.Name, Report.Number(plain[i].Min), Report.Number(plain[i].Median), Report.Number(asked[i].Min), Report.Number(asked[i].Median)]));
    }

    private static async Task LaunchAsync(Options options, Report report, BusyboxRoot root)
    {
        Entry bare = new("without a filter", Specs.Run(Specs.Default(root).WithoutSeccomp()));
        Entry[] entries =
        [
            bare,
            new("as it is by default", Specs.Run(Specs.Default(root))),
            new("SecurityProfile.Strict", Specs.Run(Specs.Default(root).WithSecurity(SecurityProfile.Strict))),
            new("hardly confined: all capabilities, no filter, no masks, no no_new_privs", Specs.Run(Hardly(root))),
        ];
        int rounds = options.Rounds is { } given ? given * 10 : 200;
        await Interleaved.RunAsync(entries, options.Warmup ?? 20, rounds);
        report.Heading("Confinement: what it adds to a launch", $"`/bin/true`, all eight namespaces; {rounds} rounds, interleaved.");
        report.Table(["what", "min ms", "median ms", "median differs by ms", "min differs by ms"], entries.Select(entry => (string[])
            [entry.Name, Report.Number(entry.Samples.Min), Report.Number(entry.Samples.Median), Report.Number(entry.Samples.Median - bare.Samples.Median), Report.Number(entry.Samples.Min - bare.Samples.Min)]));
    }

    private static ContainerBuilder Hardly(BusyboxRoot root)
    {
        ContainerBuilder builder = Specs.Default(root).WithoutSeccomp().WithNesting().AllowNewPrivileges();
        foreach (Capability capability in Enum.GetValues<Capability>())
            if ((int)capability <= HostFactsReader.Current.LastCapability) builder.AddCapability(capability);
        return builder;
    }

    private static Func<Task<string>> OursAsync(BusyboxRoot root, Func<ContainerBuilder, ContainerBuilder> change)
    {
        ContainerSpec spec = change(Specs.Default(root).WithCommand("/bin/loop")).Build();
        return async () =>
        {
            ContainerResult result = await spec.RunAsync();
            return result.Succeeded ? result.StandardOutput : throw new InvalidOperationException($"{result}: {result.StandardError}");
        };
    }

    private static async Task<string> PeerAsync(string program, string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException(await error);
    }

    /// <summary>As the runtimes read it: rules that hold with the capabilities that the bundle has.</summary>
    private static JsonObject ToOci(SeccompPolicy policy)
    {
        JsonArray calls = [];
        foreach (SeccompRule rule in policy.Rules.Where(rule => SeccompPolicy.Applies(rule, CapabilitySet.Default)))
        {
            JsonObject entry = new() { ["names"] = new JsonArray([.. rule.SystemCalls.Select(JsonNode (name) => name)]), ["action"] = rule.Action == SeccompAction.Allow ? "SCMP_ACT_ALLOW" : "SCMP_ACT_ERRNO" };
            if (rule.Action != SeccompAction.Allow) entry["errnoRet"] = (int)(rule.Action.Value & 0xffff);
            entry["args"] = new JsonArray([.. rule.Conditions.Select(JsonNode (condition) => new JsonObject
            {
                ["index"] = condition.Argument,
                ["op"] = condition.Comparison switch { SeccompComparison.Equal => "SCMP_CMP_EQ", SeccompComparison.Less => "SCMP_CMP_LT", SeccompComparison.Greater => "SCMP_CMP_GT", _ => "SCMP_CMP_MASKED_EQ" },
                ["value"] = condition.Comparison == SeccompComparison.MaskedEqual ? condition.Mask : condition.Value,
                ["valueTwo"] = condition.Comparison == SeccompComparison.MaskedEqual ? condition.Value : 0,
            })]);
            calls.Add(entry);
        }

        return new() { ["defaultAction"] = "SCMP_ACT_ERRNO", ["defaultErrnoRet"] = 1, ["architectures"] = new JsonArray("SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"), ["syscalls"] = calls };
    }
}
