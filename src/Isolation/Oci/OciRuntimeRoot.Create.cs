using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Isolation.Cgroups;
using Isolation.Linux;
using Microsoft.Win32.SafeHandles;

namespace Isolation;

public sealed partial class OciRuntimeRoot
{
    private const uint PrivateFifo = 0x1000 | 0x180; // S_IFIFO|0600

    /// <summary>
    /// Makes a container of a bundle. Its program is looked for and waits to be started; the streams of this process become its own. It lives without this process.
    /// </summary>
    /// <param name="id">Letters, digits, <c>_</c>, <c>+</c>, <c>-</c> and <c>.</c>, unique in this root.</param>
    /// <param name="options">What of.</param>
    /// <param name="cancellationToken">Ends the making; nothing is left.</param>
    /// <exception cref="OciRuntimeException">It cannot be made: nothing is left of it.</exception>
    public async Task<OciProgram> CreateAsync(string id, OciCreateOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        Check(id);

        // What the host is like is read beside the configuration; where it cannot be, who needs it is told.
        _ = Task.Run(static () => (HostFactsReader.Current, CgroupSystem.Current), CancellationToken.None);
        string bundle = Path.GetFullPath(options.Bundle);
        byte[] text = ReadConfig(bundle);
        OciConfig config = Parsed(text, bundle);
        if (!config.HasProgram) throw new OciRuntimeException("$.process.args: a container needs a program to be made for");
        if (!System.IO.Directory.Exists(config.RootPath)) throw new OciRuntimeException($"$.root.path: there is no directory '{config.RootPath}'");
        CheckTerminal(config.Spec.Terminal is not null, options.ConsoleSocket);
        string directory = MakeDirectory(id);
        OciRecord record = new() { Id = id, Bundle = bundle, RootPath = config.RootPath, Created = DateTimeOffset.UtcNow, Boot = HostScope.Current.Boot, Annotations = config.Annotations, HasSequel = config.HasSequel };
        Cgroup? group = null;
        ContainerLaunch? launch = null;
        using IDisposable locked = await LockAsync(directory, id, cancellationToken).ConfigureAwait(false);
        try
        {
            File.WriteAllBytes(Path.Join(directory, OciRecord.ConfigName), text);
            if (!options.SystemdCgroup) group = OciGroups.Make(config, id, groups =>
            {
                // One that is there already is somebody else's, and is refused next.
                if (!groups.Any(System.IO.Directory.Exists)) (record = record with { Groups = [.. groups] }).Save(directory);
            });
            record = record with { Groups = [.. group?.Directories ?? []] };
            if (group is null) record.Save(directory);
            string gate = Path.Join(directory, OciRecord.GateName);
            using (FileDescriptor parent = FileDescriptor.Open(directory, Abi.O_RDONLY | TargetAbi.Current.O_DIRECTORY))
                Syscall.Check(FileEntries.MakeNode(parent, FileName.Of(OciRecord.GateName), PrivateFifo), "mknodat", $"\"{gate}\", S_IFIFO|0600");
            FileDescriptor opened = FileDescriptor.Open(gate, Abi.O_RDWR);
            ContainerSpec asked = config.Spec with { Root = new DirectoryRoot(Resolved(config.RootPath), ((DirectoryRoot)config.Spec.Root!).Access), Layout = config.Spec.Layout! with { NoPivot = options.NoPivot } };
            ContainerSpec spec = Prepared(OciCopyUp.Read(asked), options.ConsoleSocket, options.PreservedDescriptors) with
            {
                Agent = config.Spec.Agent is { } agent ? agent with { State = () => StateOf(id, directory, record) with { Status = OciStatus.Creating } } : null,
                GivenGroup = group, HasGate = true, LeavesExit = options.LeavesExitStatus, KeepsKeyring = options.KeepsKeyring,
                OnMapped = processId =>
                {
                    // It waits, and nothing of it is lost: what comes after finds it by the record.
                    if (options.SystemdCgroup) record = record with { Groups = [.. (group = OciGroups.MakeScope(config, id, processId)).Directories] };
                    Note(processId);
                },
                OnStage = !config.HasStage ? null : (_, processId) => config.AtStageAsync(StateOf(id, directory, Note(processId)) with { Status = OciStatus.Creating }, cancellationToken),
            };
            launch = ContainerLaunch.Begin(spec, cancellationToken, gate: opened);
            await launch.Ready.ConfigureAwait(false);
            Note(launch.ProcessId);
            Tell(launch, options.PidfdSocket, options.PidFile);
            group?.Close();
            return new OciProgram(launch);
        }
        catch (Exception exception)
        {
            launch?.Kill(ContainerOutcome.Cancelled);
            if (launch is not null) await ((Task)launch.Ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (group is not null) await RemoveAsync(group, id).ConfigureAwait(false);
            config.Leave(id);
            System.IO.Directory.Delete(directory, recursive: true);
            throw Explained(exception);
        }

        OciRecord Note(int processId)
        {
            if (record.ProcessId == processId) return record;
            record = record with { ProcessId = processId, StartTime = ProcessStartTime.Read(processId) ?? 0 };
            record.Save(directory);
            return record;
        }
    }

    /// <summary>Starts a further program in a container.</summary>
    /// <exception cref="OciRuntimeException">The container does not run, or the program cannot be started.</exception>
    public async Task<OciProgram> ExecAsync(string id, OciExecOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        ContainerSpec? spec = null;
        ContainerLaunch? launch = null;
        try
        {
            spec = SpecOf(id, options);
            CheckTerminal(spec.Terminal is not null, options.ConsoleSocket);
            launch = ContainerLaunch.Begin(Prepared(spec, options.ConsoleSocket, options.PreservedDescriptors) with { LeavesExit = options.LeavesExitStatus }, cancellationToken);
            await launch.Started.ConfigureAwait(false);
            Tell(launch, options.PidfdSocket, options.PidFile);
            return new OciProgram(launch);
        }
        catch (Exception exception)
        {
            launch?.Kill(ContainerOutcome.Cancelled);
            if (exception is ContainerException or CgroupException or OciRuntimeException && await EndsSoonAsync(id, exception).ConfigureAwait(false)) throw CannotExec(id, OciStatus.Stopped, exception);
            throw Explained(exception);
        }
        finally
        {
            spec?.GivenGroup?.Close();
        }
    }

    /// <summary>Whether a container is, or after a moment will be, no more: then it is that which hindered a program.</summary>
    private async Task<bool> EndsSoonAsync(string id, Exception hindrance)
    {
        long start = System.Diagnostics.Stopwatch.GetTimestamp();
        bool mayEnd = hindrance is ContainerException refused && LaunchFailures.MayMeanAnEnd(refused);
        while (GetState(id).Status != OciStatus.Stopped)
        {
            if (!mayEnd || System.Diagnostics.Stopwatch.GetElapsedTime(start) > TimeSpan.FromSeconds(1)) return false;
            await Task.Delay(1).ConfigureAwait(false);
        }

        return true;
    }

    private static OciRuntimeException CannotExec(string id, OciStatus status, Exception? cause = null) =>
        new($"cannot exec in container '{id}': it is {status.ToString().ToLowerInvariant()}", cause);

    /// <summary>Where a root whose path is a link is: mounts are attached there.</summary>
    private static string Resolved(string path) => new DirectoryInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? path;

    /// <summary>A further program as a spec: in the namespaces and groups of the container.</summary>
    /// <exception cref="OciRuntimeException">The container does not run, or what is said of the program cannot be.</exception>
    internal ContainerSpec SpecOf(string id, OciExecOptions options)
    {
        (OciRecord record, OciState state) = Now(id);
        if (state.Status is not (OciStatus.Running or OciStatus.Created) && !(options.IgnoresPause && state.Status == OciStatus.Paused)) throw CannotExec(id, state.Status);
        OciConfig config = Config(PathOf(id), record);
        ContainerSpec spec = OciJoin.Of(record.ProcessId, record.StartTime);
        try
        {
            spec = spec with { Seccomp = config.Spec.Seccomp, Unfiltered = config.Spec.Unfiltered, Selinux = config.Spec.Selinux, Personality = config.Spec.Personality, MemoryPolicy = config.Spec.MemoryPolicy,
                Agent = config.Spec.Agent is { } agent ? agent with { State = () => state } : null };
            spec = options.ProcessJson is { } json
                ? OciProcess.Apply(spec, new OciNode(JsonDocument.Parse(json).RootElement, "$"))
                : OciExec.Apply(OciProcess.Apply(spec, new OciNode(config.Document.GetProperty("process"), "$.process")), options);
        }
        catch (Exception exception) when (exception is FormatException or JsonException or ArgumentException)
        {
            throw new OciRuntimeException(exception.Message, exception);
        }

        if (options.Terminal is { } terminal) spec = spec with { Terminal = terminal ? spec.Terminal ?? new(0, 0) : null };
        if (options.NoNewPrivileges is { } none) spec = spec with { NoNewPrivileges = none };
        if (record.Groups.IsEmpty) return options.ControlGroups.Count == 0 ? spec : throw OciGroups.HasNone(id);
        ImmutableArray<string> groups = OciGroups.Entered(record, options.ControlGroups);
        return record.Groups.Any(OciGroups.IsScope) ? spec with { OnMapped = processId => OciGroups.Join(groups, processId) } : spec with { GivenGroup = OciGroups.Open(groups, id) };
    }

    private static ContainerSpec Prepared(ContainerSpec spec, string? consoleSocket, int preserved) => spec with
    {
        IsUnrecorded = true, OutlivesHost = true, Input = InputSource.Inherit, Output = OutputTarget.Inherit, Error = OutputTarget.Inherit,
        OnTerminal = consoleSocket is null ? null : master => DescriptorSocket.Send(consoleSocket, master, "/dev/ptmx"u8, "the terminal"),
        Descriptors = Enumerable.Range(3, preserved).ToImmutableSortedDictionary(number => number, number => new SafeFileHandle(number, ownsHandle: false)),
    };

    private static void CheckTerminal(bool wanted, string? socket)
    {
        if (!wanted && socket is not null) throw new OciRuntimeException("a console socket is given, and the program has no terminal: set process.terminal, or leave the socket out");
        if (socket is not null && !File.Exists(socket)) throw new OciRuntimeException($"there is no console socket '{socket}'");
    }

    internal string MakeDirectory(string id)
    {
        try
        {
            System.IO.Directory.CreateDirectory(Path.GetDirectoryName(Directory) ?? "/");
            using FileDescriptor parent = FileDescriptor.Open(Path.GetDirectoryName(Directory) ?? "/", Abi.O_RDONLY | TargetAbi.Current.O_DIRECTORY);
            nint made = DirectoryFiles.TryMakeDirectory(parent, Path.GetFileName(Directory), 0x1C0);
            if (!Syscall.Is(made, Errno.EEXIST)) Syscall.Check(made, "mkdirat", $"\"{Directory}\", 0700");
            using FileDescriptor root = FileDescriptor.Open(Directory, Abi.O_RDONLY | TargetAbi.Current.O_DIRECTORY);
            nint result = DirectoryFiles.TryMakeDirectory(root, id, 0x1C0);
            if (Syscall.Is(result, Errno.EEXIST)) throw new OciRuntimeException($"container with id '{id}' exists already");
            Syscall.Check(result, "mkdirat", $"\"{PathOf(id)}\"");
            return PathOf(id);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new OciRuntimeException($"Cannot make the state directory '{PathOf(id)}': {exception.Message}", exception);
        }
    }

    private static byte[] ReadConfig(string bundle)
    {
        try
        {
            return File.ReadAllBytes(Path.Join(bundle, "config.json"));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new OciRuntimeException($"Cannot read the configuration of the bundle '{bundle}': {exception.Message}", exception);
        }
    }

    private static OciConfig Parsed(byte[] text, string bundle)
    {
        try
        {
            OciConfig config = OciConfig.Read(text, bundle);
            SpecValidation.CheckOci(config.Spec, config);
            return config;
        }
        catch (Exception exception) when (exception is FormatException or InvalidOperationException)
        {
            throw new OciRuntimeException($"config.json: {exception.Message}", exception);
        }
    }

    private static void Tell(ContainerLaunch launch, string? pidfdSocket, string? pidFile)
    {
        if (pidfdSocket is not null) DescriptorSocket.Send(pidfdSocket, launch.Process, "pidfd"u8, "the process");
        if (pidFile is not null) WholeFile.Replace(pidFile, launch.ProcessId.ToString(CultureInfo.InvariantCulture));
    }

    private static Exception Explained(Exception exception) => exception switch
    {
        OperationCanceledException or OciRuntimeException => exception,
        ContainerException { InnerException: OciRuntimeException inner } => inner,
        ContainerException or CgroupException or IOException or UnauthorizedAccessException => new OciRuntimeException(exception.Message, exception),
        _ => exception,
    };
}
