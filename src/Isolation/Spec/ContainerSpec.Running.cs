using Isolation.Launch;
using Isolation.Linux;

namespace Isolation;

public sealed partial record ContainerSpec
{
    private CompiledLaunch? _compiled;

    internal StandardTargets Standard { get; } = new();

    /// <summary>
    /// Whether it needs a record. What joins a container that has a pid namespace of its own dies with that container's
    /// first process; a probe ends by itself.
    /// </summary>
    internal bool IsRecorded => !IsProbe && !IsUnrecorded && !(EntersContainer is { } container && container.Spec.Namespaces.IsNew(NamespaceKind.Pid));

    /// <summary>Whether it has a control group of its own.</summary>
    internal bool HasGroup => Limits != Cgroups.ResourceLimits.None || (PreferredLimits != Cgroups.ResourceLimits.None && Cgroups.CgroupSystem.Current.MayLimit) || !CgroupControllers.IsEmpty;

    /// <summary>
    /// The group it enters: its own, or that of the container whose further program it is. What signals all processes or
    /// serves files for the host is none of the container's, and must work where the group has no room left.
    /// </summary>
    internal ContainerGroup? EnteredGroup(ContainerGroup? own) => EntersContainer is not { } container ? own : SignalAll != 0 || ServesFiles ? null : container.Launch.Group;

    internal bool HasBinds => Mounts.Any(mount => mount is BindMount);

    /// <summary>Starts a container and returns when its program runs.</summary>
    /// <param name="cancellationToken">Until then, ends the launch and leaves nothing behind; later, kills the container.</param>
    /// <exception cref="ContainerException">The container could not be started.</exception>
    /// <exception cref="OperationCanceledException">The launch was cancelled.</exception>
    public Task<Container> StartAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            if (Runtime is not null) return StartedAsync(RuntimeLaunch.StartAsync(this, unattended: false, cancellationToken));
            return Oci is null ? StartedAsync(ContainerLaunch.Begin(this, cancellationToken)) : StartedAsync(OciLife.StartAsync(this, unattended: false, cancellationToken));
        }
        catch (Exception exception)
        {
            return Failed<Container>(exception, cancellationToken);
        }
    }

    /// <summary>
    /// Starts a container, waits for its end, and cleans up. What a terminal of the program shows is the result's
    /// standard output, and nobody types into it.
    /// </summary>
    /// <param name="cancellationToken">Kills the container.</param>
    /// <exception cref="InvalidOperationException">A stream is a pipe, which only <see cref="StartAsync"/> gives into anybody's hands.</exception>
    /// <exception cref="ContainerException">The container could not be started.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled before the program had ended.</exception>
    public Task<ContainerResult> RunAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            if (Runtime is not null) return RunCancellableAsync(RuntimeLaunch.StartAsync(this, unattended: true, cancellationToken), cancellationToken);
            if (Oci is not null) return RunCancellableAsync(OciLife.StartAsync(this, unattended: true, cancellationToken), cancellationToken);
            ContainerLaunch launch = ContainerLaunch.BeginUnattended(this, cancellationToken);
            return cancellationToken.CanBeCanceled ? RunCancellableAsync(launch, cancellationToken) : launch.Ended;
        }
        catch (Exception exception)
        {
            return Failed<ContainerResult>(exception, cancellationToken);
        }
    }

    /// <summary>The plan of a launch in words: each system call in order, what it is for, and where it goes from there.</summary>
    public string Explain() => LaunchExplanation.Of(LaunchInputs.Gather(this));

    /// <summary>The image of this spec on this host, kept while neither changes. Safe from any thread: two at once make two.</summary>
    internal CompiledLaunch Compile(string id = "ID", LaunchClaims? claims = null)
    {
        CompiledLaunch? earlier = Volatile.Read(ref _compiled);
        CompiledLaunch compiled = CompiledLaunch.For(LaunchInputs.Gather(this, id, claims), earlier);
        if (compiled != earlier) Volatile.Write(ref _compiled, compiled);
        return compiled;
    }

    /// <summary>For tests: what is launched from now on is a plan in which something goes otherwise.</summary>
    internal void ChangePlan(Func<LaunchPlan, LaunchPlan> change) => Volatile.Write(ref _compiled, CompiledLaunch.Changed(LaunchInputs.Gather(this), change));

    private static async Task<Container> StartedAsync(ContainerLaunch launch)
    {
        await launch.Started.ConfigureAwait(false);
        return new Container(launch);
    }

    private static async Task<Container> StartedAsync(Task<ContainerLaunch> starting) => new(await starting.ConfigureAwait(false));

    private static async Task<ContainerResult> RunCancellableAsync(Task<ContainerLaunch> starting, CancellationToken cancellationToken)
    {
        ContainerLaunch launch = await starting.ConfigureAwait(false);
        ContainerResult result = await RunCancellableAsync(launch, cancellationToken).ConfigureAwait(false);
        await launch.Afterwards.ConfigureAwait(false);
        return result;
    }

    private static async Task<ContainerResult> RunCancellableAsync(ContainerLaunch launch, CancellationToken cancellationToken)
    {
        ContainerResult result = await launch.Ended.ConfigureAwait(false);
        if (result.Outcome == ContainerOutcome.Cancelled) cancellationToken.ThrowIfCancellationRequested();
        return result;
    }

    private static Task<T> Failed<T>(Exception exception, CancellationToken cancellationToken) => exception switch
    {
        OperationCanceledException when cancellationToken.IsCancellationRequested => Task.FromCanceled<T>(cancellationToken),
        _ => Task.FromException<T>(exception),
    };
}
