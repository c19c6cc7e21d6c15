using Isolation.Linux;

namespace Isolation;

/// <summary>
/// Says what further program to run in a container, in all of its namespaces. What is not said is as it is for the
/// container's own program: environment, user, working directory, capabilities, umask. Made by <see cref="Container.NewProcess"/>.
/// </summary>
public sealed class ExecBuilder : ProgramBuilder<ExecBuilder>
{
    private readonly Container _container;

    internal ExecBuilder(Container container)
        : base(container.Launch.Spec.RuntimeUse is { Asked: var asked } ? ExecSpec.In(container) with { Environment = asked.Environment, WorkingDirectory = asked.WorkingDirectory, User = asked.User } : ExecSpec.In(container)) => _container = container;

    /// <summary>Starts the program and returns when it runs.</summary>
    /// <exception cref="ContainerStateException">The container has ended or is paused.</exception>
    /// <exception cref="ContainerException">The program could not be started.</exception>
    /// <exception cref="OperationCanceledException">The launch was cancelled.</exception>
    public async Task<ContainerProcess> StartAsync(CancellationToken cancellationToken = default)
    {
        ContainerLaunch launch = await BeginAsync(unattended: false, cancellationToken).ConfigureAwait(false);
        return new ContainerProcess(launch);
    }

    /// <summary>
    /// Starts the program and waits for its end. What a terminal of the program shows is the result's standard output,
    /// and nobody types into it.
    /// </summary>
    /// <exception cref="InvalidOperationException">A stream is a pipe, which only <see cref="StartAsync"/> gives into anybody's hands.</exception>
    /// <exception cref="ContainerStateException">The container has ended or is paused.</exception>
    /// <exception cref="ContainerException">The program could not be started.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled before the program had ended.</exception>
    public async Task<ContainerResult> RunAsync(CancellationToken cancellationToken = default)
    {
        ContainerLaunch launch = await BeginAsync(unattended: true, cancellationToken).ConfigureAwait(false);
        ContainerResult result = await launch.Ended.ConfigureAwait(false);
        if (result.Outcome == ContainerOutcome.Cancelled) cancellationToken.ThrowIfCancellationRequested();
        return result;
    }

    private const string Starting = "A program cannot be started in it";

    /// <summary>
    /// What enters a group that somebody freezes just then stands still in it. It is not waited for: it ends as soon as it goes
    /// on. (To kill it there and then might leave a process that it has made and not yet told of.)
    /// </summary>
    private async Task StartedAsync(ContainerLaunch launch, CancellationToken cancellationToken)
    {
        TimeSpan look = TimeSpan.FromSeconds(1);
        if (_container.Launch.Group is not { CanFreeze: true } group)
        {
            await launch.Started.ConfigureAwait(false);
            return;
        }

        for (CancellationToken heard = cancellationToken; ;)
        {
            try
            {
                await launch.Started.WaitAsync(look, heard).ConfigureAwait(false);
                return;
            }
            catch (TimeoutException)
            {
                if (!group.IsFrozen) continue;
                launch.Kill();
                cancellationToken.ThrowIfCancellationRequested();
                throw Frozen();
            }
            catch (OperationCanceledException) when (!launch.Started.IsCompleted && !group.IsFrozen)
            {
                heard = CancellationToken.None; // it was killed, and is about to end
            }
        }
    }

    private static ContainerStateException Frozen() => new($"{Starting}, since somebody else has frozen its control group", ContainerState.Paused);

    private async Task<ContainerLaunch> BeginAsync(bool unattended, CancellationToken cancellationToken)
    {
        SpecValidation.CheckProgram(Draft);
        if (!_container.IsRunning) throw new ContainerStateException(Starting, ContainerState.Ended);
        if (!_container.Gate.TryEnter()) throw new ContainerStateException(Starting, ContainerState.Paused);
        try
        {
            if (_container.Launch.Group?.IsFrozen == true) throw Frozen();
            ContainerSpec spec = _container.Launch.Spec.RuntimeUse is null ? Draft : RuntimeExec.Of(_container, Draft);
            ContainerLaunch launch = unattended ? ContainerLaunch.BeginUnattended(spec, cancellationToken) : ContainerLaunch.Begin(spec, cancellationToken);
            await StartedAsync(launch, cancellationToken).ConfigureAwait(false);
            return launch;
        }
        catch (ContainerException exception) when (LaunchFailures.MayMeanAnEnd(exception))
        {
            if (await _container.Launch.EndsSoonAsync().ConfigureAwait(false)) throw new ContainerStateException(Starting, ContainerState.Ended);
            throw;
        }
        finally
        {
            _container.Gate.Entered();
        }
    }
}
