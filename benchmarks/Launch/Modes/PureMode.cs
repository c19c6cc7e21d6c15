using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.NoEmit;

namespace Isolation.Benchmarks;

/// <summary>
/// BenchmarkDotNet over work that starts no process. In this process: the default toolchain restores and builds a project
/// of its own for each class, which needs a package source.
/// </summary>
internal static class PureMode
{
    internal static Task RunAsync(Options options, Report report)
    {
        DirectoryInfo artifacts = Directory.CreateTempSubdirectory("isolation-benchmark-");
        try
        {
            ManualConfig config = ManualConfig.CreateEmpty()
                .AddJob(Job.ShortRun.WithToolchain(InProcessNoEmitToolchain.Instance))
                .AddDiagnoser(MemoryDiagnoser.Default)
                .AddLogger(NullLogger.Instance)
                .AddColumnProvider(DefaultColumnProviders.Instance)
                .WithOptions(ConfigOptions.DisableLogFile)
                .WithArtifactsPath(artifacts.FullName);
            report.Heading("Pure work", "BenchmarkDotNet, short job, in process. What a launch with a spec that is used again pays is `GatherInputs`; the rest only the first.");
            foreach (Type type in (Type[])[typeof(PlanBenchmarks), typeof(MountInfoBenchmarks)])
            {
                Summary summary = BenchmarkRunner.Run(type, config);
                report.Table(["what", "mean µs", "allocated bytes"], summary.Reports.Select(item => (string[])
                [
                    item.BenchmarkCase.Descriptor.WorkloadMethod.Name,
                    item.ResultStatistics is { } statistics ? Report.Number(statistics.Mean / 1000) : "failed",
                    item.GcStats.GetBytesAllocatedPerOperation(item.BenchmarkCase) is { } bytes ? Report.Count(bytes) : "–",
                ]));
                foreach (var error in summary.ValidationErrors.Where(error => error.IsCritical)) report.Line($"- {error.Message}");
            }
        }
        finally
        {
            artifacts.Delete(recursive: true);
        }

        return Task.CompletedTask;
    }
}
