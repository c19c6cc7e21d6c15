using Isolation.Linux;

namespace Isolation;

/// <summary>The life of a container that this process starts of a configuration: with its hooks around it.</summary>
internal static class OciLife
{
    /// <returns>The launch, whose program runs.</returns>
    /// <exception cref="ContainerException">It cannot be started, or a hook failed: nothing is left of it.</exception>
    internal static async Task<ContainerLaunch> StartAsync(ContainerSpec spec, bool unattended, CancellationToken cancellationToken)
    {
        OciConfig config = spec.Oci!;
        SpecValidation.CheckOci(spec, config);
        ContainerSpec prepared = OciCopyUp.Read(spec);
        if (!config.HasSequel && !config.HasStage)
        {
            ContainerLaunch plain = Begin(prepared, unattended, null, cancellationToken);
            await plain.Started.ConfigureAwait(false);
            return plain;
        }

        ContainerLaunch? launch = null;
        TaskCompletionSource<ContainerLaunch> begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        prepared = prepared with
        {
            HasGate = true,
            OnStage = !config.HasStage ? null : async (_, processId) => await config.AtStageAsync(StateOf(config, await begun.Task.ConfigureAwait(false), OciStatus.Creating, processId), cancellationToken).ConfigureAwait(false),
        };
        (FileDescriptor read, FileDescriptor write) = Descriptors.Pipe();
        using (write)
        {
            try
            {
                launch = Begin(prepared, unattended, read, cancellationToken);
                begun.SetResult(launch);
                await launch.Ready.ConfigureAwait(false);
                await OciHookRunner.RunInsideAsync("startContainer", config.Hooks.StartContainer, StateOf(config, launch, OciStatus.Created), cancellationToken).ConfigureAwait(false);
                Descriptors.WriteAll(write, "1"u8);
                await launch.Started.ConfigureAwait(false);
                await OciHookRunner.RunAsync("poststart", config.Hooks.Poststart, StateOf(config, launch, OciStatus.Running), cancellationToken).ConfigureAwait(false);
                launch.Afterwards = AfterAsync(config, launch);
                return launch;
            }
            catch (Exception exception)
            {
                if (launch is not null)
                {
                    launch.Kill(ContainerOutcome.Cancelled);
                    await ((Task)launch.Ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                    await AfterAsync(config, launch).ConfigureAwait(false);
                }
                else read.Dispose();

                if ((exception as OciRuntimeException ?? exception.InnerException as OciRuntimeException) is { } hook)
                    throw new ContainerException(ContainerErrorReason.LaunchFailed, "The container is not started", hook, "a hook that fails ends the launch: mend it, or take it out of the configuration");
                throw;
            }
        }
    }

    private static ContainerLaunch Begin(ContainerSpec spec, bool unattended, FileDescriptor? gate, CancellationToken cancellationToken) =>
        unattended ? ContainerLaunch.BeginUnattended(spec, cancellationToken, gate) : ContainerLaunch.Begin(spec, cancellationToken, gate: gate);

    /// <summary>What is to be done when it is gone; that a hook fails then is only logged (config.md, "Poststop").</summary>
    private static async Task AfterAsync(OciConfig config, ContainerLaunch launch)
    {
        await ((Task)launch.Ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        config.Leave(launch.Id);
        try
        {
            await OciHookRunner.RunAsync("poststop", config.Hooks.Poststop, StateOf(config, launch, OciStatus.Stopped, 0), CancellationToken.None).ConfigureAwait(false);
        }
        catch (OciRuntimeException exception)
        {
            LifeLog.PoststopHookFailed(launch.Spec.Logger, launch.Id, exception.Message);
        }
    }

    private static OciState StateOf(OciConfig config, ContainerLaunch launch, OciStatus status, int? processId = null) => new()
    {
        Id = launch.Id, Status = status, ProcessId = processId ?? launch.ProcessId, Bundle = config.Bundle, RootPath = config.RootPath, Created = DateTimeOffset.UtcNow, Annotations = config.Annotations,
    };
}
