using System.Buffers.Binary;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Isolation.Launch;
using Isolation.Linux;

namespace Isolation.Benchmarks;

/// <summary>Launches a clocked plan the way the library launches a plan, with stamps on the way.</summary>
internal sealed class ClockedLaunch : IDisposable
{
    internal static readonly string[] Stages =
    [
        "caller: channel and pipes made",
        "launcher woken, birth steps written, clone, execveat up to the new address space (which releases the launcher)",
        "identity maps written, go sent",
        "child: rest of that execveat, go read",
        "the plan",
        "execve, up to the channel's end",
        "program runs and ends, up to the pidfd",
        "whole",
    ];

    private readonly PlanInputs _inputs;
    private readonly FileDescriptor _image;
    private readonly FileDescriptor _null = FileDescriptor.Open("/dev/null", Abi.O_RDWR);
    private readonly int _clocked;

    internal ClockedLaunch(ContainerSpec spec)
    {
        _inputs = LaunchInputs.Gather(spec);
        Plan = LaunchPlanner.Plan(_inputs);
        _clocked = ClockedPlan.Clocked(Plan);
        LaunchPlan clocked = ClockedPlan.Of(LaunchPlanner.Plan(_inputs));
        _image = ImageDescriptor.Create(ElfImage.Wrap(ImageAssembler.Assemble(clocked, _inputs.Host.Abi), RuntimeInformation.ProcessArchitecture));
    }

    /// <summary>The plan without the clocks.</summary>
    internal LaunchPlan Plan { get; }

    internal async Task<ClockReading> RunAsync()
    {
        long begun = Stopwatch.GetTimestamp();
        (FileDescriptor channel, FileDescriptor childChannel) = Descriptors.SocketPair(Abi.SOCK_SEQPACKET);
        (FileDescriptor output, FileDescriptor childOutput) = Descriptors.Pipe();
        (FileDescriptor error, FileDescriptor childError) = Descriptors.Pipe();
        using (channel)
        using (output)
        using (error)
        {
            long made = Stopwatch.GetTimestamp(), born = 0, sent = 0;
            TaskCompletionSource<PidDescriptor> process = new(TaskCreationOptions.RunContinuationsAsynchronously);
            LauncherThread.Shared.Enqueue(new LaunchRequest
            {
                Image = _image.Number,
                Descriptors = [_null, childOutput, childError, childChannel],
                CloneFlags = NamespaceSteps.BirthFlags(_inputs.Spec.Namespaces),
                LastCapability = _inputs.NewUser ? _inputs.Host.LastCapability : -1,
                OnBorn = request =>
                {
                    born = Stopwatch.GetTimestamp();
                    childOutput.Dispose();
                    childError.Dispose();
                    childChannel.Dispose();
                    if (request.Process is null)
                    {
                        process.SetException(request.Error!);
                        return;
                    }

                    if (_inputs.NewUser) IdentityMapWriter.Write(request.ProcessId, IdentityMaps.For(_inputs.Spec, _inputs.Host));
                    Descriptors.Write(channel, "isolationbench\0\0"u8);
                    sent = Stopwatch.GetTimestamp();
                    process.SetResult(request.Process);
                },
            });
            using PidDescriptor child = await process.Task;
            byte[] clocks = new byte[_clocked * ClockedPlan.ClockSize];
            int length = 0;
            // The thread is blocked on the channel, as nothing else has to be done.
            WaitForEnd(channel);
            long executed = Stopwatch.GetTimestamp();
            using (Readiness end = new(DescriptorEvents.Shared, child, Abi.EPOLLIN)) await end.Reading.WaitAsync(end.Reading.Edge, CancellationToken.None);
            long ended = Stopwatch.GetTimestamp();
            child.TryReap(out _);
            while (length < clocks.Length && Descriptors.Read(output, clocks.AsSpan(length)) is > 0 and int count) length += count;
            if (length < clocks.Length) throw new InvalidOperationException($"The child wrote {length} bytes of clocks, not {clocks.Length}: it has failed.");
            return Reading(clocks, begun, made, born, sent, executed, ended);
        }
    }

    public void Dispose()
    {
        _image.Dispose();
        _null.Dispose();
    }

    // Messages of the child are notes about fallbacks or its fault, which shows in the missing clocks.
    private static void WaitForEnd(FileDescriptor channel)
    {
        Span<byte> message = stackalloc byte[64];
        while (Descriptors.Read(channel, message) > 0)
        {
        }
    }

    private ClockReading Reading(byte[] clocks, long begun, long made, long born, long sent, long executed, long ended)
    {
        long[] times = new long[_clocked];
        for (int i = 0; i < _clocked; i++)
        {
            ReadOnlySpan<byte> clock = clocks.AsSpan(i * ClockedPlan.ClockSize);
            times[i] = BinaryPrimitives.ReadInt64LittleEndian(clock) * 1_000_000_000 + BinaryPrimitives.ReadInt64LittleEndian(clock[8..]);
        }

        double[] steps = new double[Plan.Steps.Count];
        Array.Fill(steps, double.NaN);
        int last = -1, first = -1;
        for (int i = 0; i < _clocked; i++)
        {
            if (times[i] == 0) continue;
            // The first step waits for the host; its time is a stage of its own.
            if (last > 0) steps[last] = Milliseconds(times[i] - times[last]);
            else if (last == 0) first = i;
            last = i;
        }

        double[] stages =
        [
            Milliseconds(made - begun), Milliseconds(born - made), Milliseconds(sent - born), Milliseconds(times[first] - sent),
            Milliseconds(times[last] - times[first]), Milliseconds(executed - times[last]), Milliseconds(ended - executed), Milliseconds(ended - begun),
        ];
        return new(stages, steps);
    }

    private static double Milliseconds(long nanoseconds) => nanoseconds / 1e6;
}
