using Isolation.Launch;
using Isolation.Linux;

namespace Isolation;

public sealed partial record ContainerSpec
{
    private CompiledLaunch? _compiled;

    internal StandardTargets Standard { get; } = new();

    internal bool HasBinds => Mounts.Any(mount => mount is BindMount);

    /// <summary>Starts a container and returns when its program runs.</summary>
    /// <param name="cancellationToken">Until then, ends the launch and leaves nothing behind; later, kills the container.</param>
    /// <exception cref="ContainerException">The container could not be started.</exception>
    /// <exception cref="OperationCanceledException">The launch was cancelled.</exception>
    public Task<Container> StartAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            return StartedAsync(ContainerLaunch.Begin(this, cancellationToken));
        }
        catch (Exception exception)
        {
            return Failed<Container>(exception, cancellationToken);
        }
    }

    /// <summary>Starts a container, waits for its end, and cleans up.</summary>
    /// <param name="cancellationToken">Kills the container.</param>
    /// <exception cref="ContainerException">The container could not be started.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled before the program had ended.</exception>
    public Task<ContainerResult> RunAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            ContainerLaunch launch = ContainerLaunch.Begin(this, cancellationToken);
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
    internal CompiledLaunch Compile()
    {
        CompiledLaunch? earlier = Volatile.Read(ref _compiled);
        CompiledLaunch compiled = CompiledLaunch.For(LaunchInputs.Gather(this), earlier);
        if (compiled != earlier) Volatile.Write(ref _compiled, compiled);
        return compiled;
    }

    private static async Task<Container> StartedAsync(ContainerLaunch launch)
    {
        await launch.Started.ConfigureAwait(false);
        return new Container(launch);
    }

    private static async Task<ContainerResult> RunCancellableAsync(ContainerLaunch launch, CancellationToken cancellationToken)
    {
        ContainerResult result = await launch.Ended.ConfigureAwait(false);
        if (result.Signal == Abi.SIGKILL) cancellationToken.ThrowIfCancellationRequested();
        return result;
    }

    private static Task<T> Failed<T>(Exception exception, CancellationToken cancellationToken) => exception switch
    {
        OperationCanceledException when cancellationToken.IsCancellationRequested => Task.FromCanceled<T>(cancellationToken),
        _ => Task.FromException<T>(exception),
    };
}
