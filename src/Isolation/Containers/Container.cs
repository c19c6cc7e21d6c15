using Isolation.Linux;

namespace Isolation;

/// <summary>
/// A container that was started: its program runs, or has ended. Safe from any thread. Disposing it ends what still runs.
/// When the process that started it dies, however it dies, the kernel kills the container (prctl(2), PR_SET_PDEATHSIG),
/// unless it was started with <see cref="ContainerBuilder.OutliveHost"/>. What that misses the next <see cref="IsolationHost"/> finds.
/// </summary>
public sealed partial class Container : ContainerProcess
{
    internal Container(ContainerLaunch launch)
        : base(launch)
    {
    }

    /// <summary>Twelve hexadecimal digits, drawn at random.</summary>
    public string Id => Launch.Id;

    /// <summary>What it was started from.</summary>
    public ContainerSpec Spec => Launch.Spec.RuntimeUse?.Asked ?? Launch.Spec;

    /// <summary>
    /// What is in force, entry by entry. Read back from the kernel the first time that it is asked for while the program runs (<c>/proc/PID/status</c>,
    /// namespaces, labels); what the kernel does not tell, and all of a program that has ended by then, is as the launch has done it.
    /// </summary>
    public IReadOnlyList<EnforcementEntry> Enforcement => Launch.Spec.RuntimeUse?.Enforcement ?? Launch.Enforcement;

    internal PidDescriptor Process => Launch.Process;
}
