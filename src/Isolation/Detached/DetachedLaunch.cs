using Isolation.Linux;

namespace Isolation;

/// <summary>Starts a container that lives without this process.</summary>
internal static class DetachedLaunch
{
    /// <exception cref="InvalidOperationException">What is asked for takes a process that is there.</exception>
    internal static void Check(ContainerSpec spec)
    {
        if (spec.Terminal is not null) throw Needs("a terminal", "WithTerminal");
        if (spec.Input is not (EmptyInput or FileInput)) throw Needs("that input", "WithInput, or give a file");
        if (spec.Output is not (CapturedTarget or FileTarget or DiscardedTarget) || spec.Error is not (CapturedTarget or FileTarget or DiscardedTarget or MergedTarget)) throw Needs("that output", "WithOutput and WithError: it goes to the container's log");
        if (spec.Timeout is not null) throw Needs("a time limit", "WithTimeout");
        if (spec.Runtime is not null) throw Needs("another runtime", "WithRuntime");
        if (spec.Interception is not null) throw Needs("a handler of system calls", "WithSystemCallHandler");
        if (!spec.Namespaces.IsNew(NamespaceKind.Pid)) throw new InvalidOperationException("A detached container has an init that keeps its exit status, and so needs a pid namespace of its own: leave WithPidNs out.");
        if (spec.Oci is { Hooks.IsEmpty: false }) throw new InvalidOperationException("The hooks of a configuration are run by a process that is there: leave them out, or use OciRuntimeRoot.");

        static InvalidOperationException Needs(string what, string remedy) => new($"A detached container lives without the process that started it, which {what} needs: leave out {remedy}.");
    }

    /// <summary>Its directory is there, and locked by the caller.</summary>
    internal static async Task RunAsync(ContainerSpec spec, string id, DetachedFiles files, DateTimeOffset created, CancellationToken cancellationToken)
    {
        TaskCompletionSource<ContainerLaunch> begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        OciRecord record = new() { Id = id, Bundle = files.Directory, RootPath = (spec.Root as DirectoryRoot)?.Path ?? "", Created = created, Boot = HostScope.Current.Boot };
        record.Save(files.Directory);
        using (FileDescriptor exit = FileDescriptor.Open(files.Exit, Abi.O_WRONLY | Abi.O_CREAT | Abi.O_TRUNC, 0x180 /* 0600 */))
        {
        }

        FileTarget log = new(files.Log, true);
        ContainerSpec prepared = spec with
        {
            // So that whoever attaches may pause it.
            CgroupControllers = spec.HasGroup && Cgroups.CgroupSystem.Current[Cgroups.CgroupController.Freezer].Absence is null ? [.. spec.CgroupControllers.Union([Cgroups.CgroupController.Freezer])] : spec.CgroupControllers,
            Init = true, OutlivesHost = true, ExitFile = files.Exit,
            HostName = spec.HostName ?? (spec.Namespaces.IsNew(NamespaceKind.Uts) && id.Length <= 63 && !id.Contains('_') && !id.Contains('+') ? id : null),
            Output = spec.Output is CapturedTarget ? log : spec.Output,
            Error = spec.Error is CapturedTarget ? (spec.Output is CapturedTarget ? OutputTarget.SameAsOutput : log) : spec.Error,
            OnMapped = processId =>
            {
                // It waits, and nothing of it is lost: what comes after finds it by the record.
                ContainerLaunch launch = begun.Task.GetAwaiter().GetResult();
                record = record with { Groups = [.. launch.Group?.Group.Directories ?? []] };
                Note(processId);
            },
        };
        using CancellationTokenSource starting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        ContainerLaunch started = ContainerLaunch.Begin(prepared, starting.Token);
        begun.SetResult(started);
        await started.Started.ConfigureAwait(false);
        _ = ReleaseAfterAsync(started);
        Note(started.ProcessId);
        files.Started = DateTimeOffset.UtcNow;
        if (started.ProgramId is { } program) files.NoteProgram(program);

        void Note(int processId)
        {
            if (processId == 0) return;
            record = record with { ProcessId = processId, StartTime = ProcessStartTime.Read(processId) ?? 0 };
            record.Save(files.Directory);
        }
    }

    /// <summary>What this process has made for its root is gone with it where this process is still there; else whoever opens the host next removes it.</summary>
    private static async Task ReleaseAfterAsync(ContainerLaunch launch)
    {
        await ((Task)launch.Ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (launch.ReleaseRoot() is { } release) await release.ConfigureAwait(false);
    }
}
