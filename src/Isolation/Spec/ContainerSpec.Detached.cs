namespace Isolation;

public sealed partial record ContainerSpec
{
    /// <summary>Where the init writes how the program ended, in place of a pipe to this process.</summary>
    internal string? ExitFile { get; init; }

    /// <summary>
    /// Starts a container that lives without this process, and returns when its program runs. It has an init of this library, which keeps its exit status; its output goes
    /// to its log. It is there until it is removed (<see cref="DetachedContainer.RemoveAsync"/>), in the state directory of its host, from which any process of this user gets
    /// at it by its id (<see cref="IsolationHost.AttachAsync"/>).
    /// </summary>
    /// <param name="options">Its id, its log, whether it is started anew and how it is checked.</param>
    /// <param name="cancellationToken">Until its program runs, ends the launch and leaves nothing behind; later, does nothing.</param>
    /// <returns>The container, which this process owns until the returned object is disposed.</returns>
    /// <exception cref="ArgumentException">An option is out of range, or the id is none.</exception>
    /// <exception cref="InvalidOperationException">What is asked for takes a process that is there: a terminal, a pipe, a time limit.</exception>
    /// <exception cref="ContainerException">It could not be started, or its id is taken.</exception>
    public Task<DetachedContainer> DetachAsync(DetachOptions? options = null, CancellationToken cancellationToken = default) => DetachedContainer.StartAsync(this, options ?? new(), cancellationToken);
}
