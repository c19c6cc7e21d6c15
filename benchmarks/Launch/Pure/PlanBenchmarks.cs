using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;
using Isolation.Launch;

namespace Isolation.Benchmarks;

/// <summary>From the builder's calls to the bytes of the image.</summary>
[SuppressMessage("Design", "CA1001", Justification = "BenchmarkDotNet calls CleanUp.")]
public class PlanBenchmarks
{
    private BusyboxRoot _root = null!;
    private ContainerSpec _spec = null!;
    private ContainerSpec _hostSpec = null!;
    private PlanInputs _inputs = null!;
    private PlanInputs _again = null!;
    private PlanInputs _hostInputs = null!;
    private LaunchPlan _plan = null!;
    private byte[] _data = null!;

    [GlobalSetup]
    public void SetUp()
    {
        _root = new BusyboxRoot();
        _spec = Specs.Headline(_root).Build();
        _hostSpec = Specs.Host().Build();
        _inputs = LaunchInputs.Gather(_spec);
        _again = LaunchInputs.Gather(_spec);
        _hostInputs = LaunchInputs.Gather(_hostSpec);
        _plan = LaunchPlanner.Plan(_inputs);
        _data = ImageAssembler.Assemble(_plan, _inputs.Host.Abi);
    }

    [GlobalCleanup]
    public void CleanUp() => _root.Dispose();

    [Benchmark]
    public object BuildSpec() => Specs.Headline(_root).Build();

    [Benchmark]
    public object GatherInputs() => LaunchInputs.Gather(_spec);

    [Benchmark]
    public object GatherHostInputs() => LaunchInputs.Gather(_hostSpec);

    [Benchmark]
    public bool CompareInputs() => _inputs.Matches(_again);

    [Benchmark]
    public object Plan() => LaunchPlanner.Plan(_inputs);

    [Benchmark]
    public object PlanHost() => LaunchPlanner.Plan(_hostInputs);

    [Benchmark]
    public byte[] Assemble() => ImageAssembler.Assemble(_plan, _inputs.Host.Abi);

    [Benchmark]
    public byte[] WrapElf() => ElfImage.Wrap(_data, RuntimeInformation.ProcessArchitecture);

    [Benchmark]
    public string Explain() => _plan.ToString();
}
