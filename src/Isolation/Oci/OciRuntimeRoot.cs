using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Isolation.Cgroups;
using Isolation.Linux;

namespace Isolation;

/// <summary>
/// Containers of bundles of the Open Container Initiative (runtime-spec 1.3), recorded in one directory, as an OCI runtime has them: each is made, started, signalled and
/// deleted by commands of possibly different processes, and lives without any of them. Safe from any thread, and from any number of processes.
/// </summary>
public sealed partial class OciRuntimeRoot
{
    private const int LongestId = 1024;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <param name="path">Made where it is missing, of mode 0700. Null for <c>/run/isolation-runtime</c>, or of a user <c>$XDG_RUNTIME_DIR/isolation-runtime</c>.</param>
    public OciRuntimeRoot(string? path = null) => Directory = Path.GetFullPath(path ?? Default());

    /// <summary>Where they are recorded, an absolute path.</summary>
    public string Directory { get; }

    /// <summary>The state of a container.</summary>
    /// <exception cref="OciRuntimeException">There is none, or its record is damaged.</exception>
    public OciState GetState(string id)
    {
        string directory = Existing(id);
        return StateOf(id, directory, OciRecord.Load(directory)) with { OwnerId = OwnerOf(directory, id) };
    }

    /// <summary>The states of all, by their names. One whose record is damaged is left out.</summary>
    public IReadOnlyList<OciState> List()
    {
        if (!System.IO.Directory.Exists(Directory)) return [];
        List<OciState> states = [];
        foreach (string directory in System.IO.Directory.GetDirectories(Directory).Order(StringComparer.Ordinal))
        {
            try
            {
                states.Add(GetState(Path.GetFileName(directory)));
            }
            catch (OciRuntimeException)
            {
                // Deleted meanwhile, or not to be read: who asks for it by name is told.
            }
        }

        return states;
    }

    /// <summary>Has the program of a container start that waits for it.</summary>
    /// <exception cref="OciRuntimeException">It is in another state, or a hook failed; then the container is killed.</exception>
    public async Task StartAsync(string id, CancellationToken cancellationToken = default)
    {
        string directory = Existing(id);
        using IDisposable locked = await LockAsync(directory, id, cancellationToken).ConfigureAwait(false);
        OciRecord record = Loaded(directory, id);
        OciState state = StateOf(id, directory, record);
        if (state.Status != OciStatus.Created) throw new OciRuntimeException($"cannot start a container that is {state.Status.ToString().ToLowerInvariant()}: '{id}' is to be created");
        OciHooks hooks = record.HasSequel ? Config(directory, record).Hooks : OciHooks.None;
        try
        {
            await OciHookRunner.RunInsideAsync("startContainer", hooks.StartContainer, state, cancellationToken).ConfigureAwait(false);
            string gate = Path.Join(directory, OciRecord.GateName);
            using (FileDescriptor fifo = FileDescriptor.Open(gate, Abi.O_RDWR)) Descriptors.WriteAll(fifo, "1"u8);
            File.Delete(gate);
            await OciHookRunner.RunAsync("poststart", hooks.Poststart, state with { Status = OciStatus.Running }, cancellationToken).ConfigureAwait(false);
        }
        catch (OciRuntimeException)
        {
            Signal(record, Abi.SIGKILL);
            throw;
        }
    }

    /// <summary>Sends a signal to the first process of a container, or to all of them.</summary>
    /// <exception cref="OciRuntimeException">It is stopped.</exception>
    public void Kill(string id, int signal, bool all = false)
    {
        string directory = Existing(id);
        OciRecord record = Loaded(directory, id);
        if (all && !record.Groups.IsEmpty)
        {
            foreach (int process in ProcessesOf(record)) SignalOne(process, signal);
            return;
        }

        if (!Signal(record, signal)) throw new OciRuntimeException($"container not running: '{id}'");

        // What is frozen in a group of version 1 dies only where it is let go.
        if (signal == Abi.SIGKILL && IsFrozen(record) && Cgroup.Open(record.Groups) is { } group)
        {
            group.Thaw();
            group.Close();
        }
    }

    /// <summary>Removes a container that is stopped, and all that is left of it.</summary>
    /// <param name="id">Which.</param>
    /// <param name="force">One that is not stopped is killed first, and one that there is none of is no error.</param>
    /// <param name="cancellationToken">Ends the wait for its end.</param>
    /// <exception cref="OciRuntimeException">It is not stopped.</exception>
    public async Task DeleteAsync(string id, bool force = false, CancellationToken cancellationToken = default)
    {
        Check(id);
        if (force && !System.IO.Directory.Exists(PathOf(id))) return;
        string directory = Existing(id);
        using IDisposable locked = await LockAsync(directory, id, cancellationToken).ConfigureAwait(false);
        OciRecord? record;
        try
        {
            record = OciRecord.Load(directory);
        }
        catch (OciRuntimeException) when (force)
        {
            record = null;
        }

        OciState state = StateOf(id, directory, record);
        if (state.Status is OciStatus.Running or OciStatus.Paused && !force) throw new OciRuntimeException($"cannot delete container '{id}' that is not stopped: {state.Status.ToString().ToLowerInvariant()}");
        if (record is not null)
        {
            Signal(record, Abi.SIGKILL);
            if (!record.Groups.IsEmpty && Cgroup.Find(record.Groups) is { } group) await RemoveAsync(group, id).ConfigureAwait(false);
            await WaitForEndAsync(record, cancellationToken).ConfigureAwait(false);
        }

        OciConfig? config = record is { HasSequel: true } ? TryConfig(directory, record) : null;
        config?.Leave(id);
        System.IO.Directory.Delete(directory, recursive: true);
        foreach (OciHook hook in config?.Hooks.Poststop ?? [])
        {
            // The container is gone whatever they do (runtime.md, "Lifecycle").
            try
            {
                await OciHookRunner.RunAsync("poststop", [hook], state with { Status = OciStatus.Stopped, ProcessId = 0 }, cancellationToken).ConfigureAwait(false);
            }
            catch (OciRuntimeException)
            {
            }
        }
    }

    /// <summary>The number of a signal.</summary>
    /// <param name="text"><c>SIGTERM</c>, <c>TERM</c>, <c>15</c>, <c>RTMIN+3</c>.</param>
    /// <returns>Null where there is no such signal.</returns>
    public static int? SignalNumber(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return SignalName.Number(text);
    }

    /// <summary>The processes of a container, as this process numbers them.</summary>
    public IReadOnlyList<int> Processes(string id) => ProcessesOf(Loaded(Existing(id), id));

    /// <summary>Stops all processes of a container, and returns when they stand.</summary>
    /// <exception cref="OciRuntimeException">It does not run, or has no control group that can be frozen.</exception>
    public async Task PauseAsync(string id, CancellationToken cancellationToken = default)
    {
        (OciRecord record, OciState state) = Now(id);
        if (state.Status is not (OciStatus.Running or OciStatus.Created)) throw new OciRuntimeException($"cannot pause container '{id}': it is {state.Status.ToString().ToLowerInvariant()}");
        Cgroup group = OciGroups.Open(record.Groups, id);
        try
        {
            await group.FreezeAsync(TimeSpan.FromSeconds(10), cancellationToken).ConfigureAwait(false);
        }
        catch (CgroupException exception)
        {
            throw new OciRuntimeException($"cannot pause container '{id}': {exception.Message}", exception);
        }
        finally
        {
            group.Close();
        }
    }

    /// <summary>Lets them go on.</summary>
    /// <exception cref="OciRuntimeException">It is not paused.</exception>
    public void Resume(string id)
    {
        (OciRecord record, OciState state) = Now(id);
        if (state.Status != OciStatus.Paused) throw new OciRuntimeException($"container '{id}' not paused: it is {state.Status.ToString().ToLowerInvariant()}");
        Cgroup group = OciGroups.Open(record.Groups, id);
        group.Thaw();
        group.Close();
    }

    /// <summary>Changes the limits of a container.</summary>
    /// <param name="id">Which.</param>
    /// <param name="resourcesJson">The object <c>linux.resources</c> of a configuration; what is not in it stays.</param>
    /// <exception cref="OciRuntimeException">It is stopped, or a limit cannot be had: none has changed then.</exception>
    public void Update(string id, string resourcesJson)
    {
        ArgumentNullException.ThrowIfNull(resourcesJson);
        (OciRecord record, OciState state) = Now(id);
        if (state.Status == OciStatus.Stopped) throw new OciRuntimeException($"cannot update container '{id}': it is stopped");
        Cgroup group = OciGroups.Open(record.Groups, id);
        try
        {
            using JsonDocument resources = JsonDocument.Parse(resourcesJson);
            group.Update(OciSections.Resources(new OciNode(resources.RootElement, "$")));
        }
        catch (Exception exception) when (exception is CgroupException or FormatException or ArgumentException or JsonException)
        {
            throw new OciRuntimeException($"cannot update container '{id}': {exception.Message}", exception);
        }
        finally
        {
            group.Close();
        }
    }

    /// <summary>What a container uses.</summary>
    /// <exception cref="OciRuntimeException">It is stopped, or has no control group.</exception>
    public CgroupStats ReadStats(string id)
    {
        (OciRecord record, OciState state) = Now(id);
        if (state.Status == OciStatus.Stopped) throw new OciRuntimeException($"container not running: '{id}'");
        Cgroup group = OciGroups.Open(record.Groups, id);
        try
        {
            return group.ReadStats();
        }
        catch (CgroupException exception)
        {
            throw new OciRuntimeException($"cannot read the figures of container '{id}': {exception.Message}", exception);
        }
        finally
        {
            group.Close();
        }
    }

    /// <summary>What happens to the control group of a container from the first reading on, until it ends.</summary>
    /// <param name="id">Which.</param>
    /// <param name="kinds">What to tell; null for all that its group can tell.</param>
    /// <param name="cancellationToken">Ends the wait with an exception.</param>
    /// <exception cref="OciRuntimeException">It is stopped, or has no control group, or that cannot tell one of the kinds.</exception>
    public async IAsyncEnumerable<CgroupEvent> WatchAsync(string id, IReadOnlyCollection<CgroupEventKind>? kinds = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        (OciRecord record, OciState state) = Now(id);
        if (state.Status == OciStatus.Stopped) throw new OciRuntimeException($"container not running: '{id}'");
        Cgroup group = OciGroups.Open(record.Groups, id);
        try
        {
            CgroupEventWatch watch;
            try
            {
                watch = group.Watch(kinds);
            }
            catch (CgroupException exception)
            {
                throw new OciRuntimeException($"cannot watch container '{id}': {exception.Message}", exception);
            }

            await foreach (CgroupEvent next in watch.WithCancellation(cancellationToken).ConfigureAwait(false)) yield return next;
        }
        finally
        {
            group.Close();
        }
    }

    private static string Default() => OciGroups.IsHostsRoot ? "/run/isolation-runtime"
        : Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is ['/', ..] runtime ? Path.Join(runtime, "isolation-runtime") : string.Create(CultureInfo.InvariantCulture, $"/tmp/isolation-runtime-{Syscall.Invoke(SystemCall.geteuid)}");

    /// <summary>A name becomes a directory, and is shown: neither paths nor options nor what a terminal would obey.</summary>
    private static void Check(string id)
    {
        ArgumentNullException.ThrowIfNull(id);
        try
        {
            CheckId(id);
        }
        catch (ArgumentException exception)
        {
            throw new OciRuntimeException(exception.Message, exception);
        }
    }

    /// <exception cref="ArgumentException">It is none.</exception>
    internal static void CheckId(string id)
    {
        if (id.Length is 0 or > LongestId || id is "." or ".." || !id.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '+' or '-' or '.'))
            throw new ArgumentException($"invalid container id '{new string([.. id.Take(64).Select(letter => char.IsControl(letter) ? '?' : letter)])}': letters, digits, '_', '+', '-' and '.', {LongestId} at most");
    }

    private string PathOf(string id) => Path.Join(Directory, id);

    private string Existing(string id)
    {
        Check(id);
        string directory = PathOf(id);
        return System.IO.Directory.Exists(directory) ? directory : throw new OciRuntimeException($"container '{id}' does not exist");
    }

    private static OciRecord Loaded(string directory, string id) =>
        OciRecord.Load(directory) ?? throw new OciRuntimeException($"container '{id}' does not exist: its making was not finished; delete --force removes what is left of it");

    private (OciRecord, OciState) Now(string id)
    {
        string directory = Existing(id);
        OciRecord record = Loaded(directory, id);
        return (record, StateOf(id, directory, record));
    }

    private static OciState StateOf(string id, string directory, OciRecord? record)
    {
        if (record is null) return new() { Id = id, Status = OciStatus.Creating, ProcessId = 0, Bundle = "" };
        using PidDescriptor? process = record.OpenProcess();
        OciStatus status = process is null ? (record.ProcessId == 0 ? OciStatus.Creating : OciStatus.Stopped)
            : IsFrozen(record) ? OciStatus.Paused
            : File.Exists(Path.Join(directory, OciRecord.GateName)) ? OciStatus.Created : OciStatus.Running;
        return new()
        {
            Id = id, Status = status, ProcessId = process is null ? 0 : record.ProcessId, Bundle = record.Bundle, RootPath = record.RootPath, Created = record.Created, Annotations = record.Annotations,
        };
    }

    private static uint OwnerOf(string directory, string id)
    {
        try
        {
            using FileDescriptor opened = FileDescriptor.Open(directory, Abi.O_PATH | TargetAbi.Current.O_DIRECTORY);
            return FileStatus.Of(opened).Uid;
        }
        catch (LinuxException exception) when (exception.Errno == Errno.ENOENT)
        {
            throw new OciRuntimeException($"container '{id}' does not exist", exception);
        }
    }

    private static bool IsFrozen(OciRecord record)
    {
        foreach (string directory in record.Groups)
        {
            foreach (string file in (ReadOnlySpan<string>)["freezer.state", "cgroup.freeze"])
                if (SmallFile.ReadText(Path.Join(directory, file)).Trim() is "FROZEN" or "FREEZING" or "1") return true;
        }

        return false;
    }

    private static IReadOnlyList<int> ProcessesOf(OciRecord record)
    {
        SortedSet<int> processes = [];
        foreach (string line in record.Groups.Take(1).SelectMany(Below).SelectMany(group => SmallFile.ReadText(Path.Join(group, "cgroup.procs")).Split('\n')))
            if (int.TryParse(line, NumberStyles.None, CultureInfo.InvariantCulture, out int process)) processes.Add(process);
        if (processes.Count == 0)
        {
            using PidDescriptor? first = record.OpenProcess();
            if (first is not null) processes.Add(record.ProcessId);
        }

        return [.. processes];

        static IEnumerable<string> Below(string group) => !System.IO.Directory.Exists(group) ? [] : System.IO.Directory.GetDirectories(group).SelectMany(Below).Append(group);
    }

    private static bool Signal(OciRecord record, int signal)
    {
        using PidDescriptor? process = record.OpenProcess();
        if (process is null) return false;
        process.SendSignal(signal);
        return true;
    }

    private static void SignalOne(int processId, int signal)
    {
        try
        {
            using PidDescriptor process = PidDescriptor.Open(processId);
            process.SendSignal(signal);
        }
        catch (LinuxException exception) when (exception.Errno == Errno.ESRCH)
        {
            // It has ended meanwhile.
        }
    }

    private static async Task RemoveAsync(Cgroup group, string id)
    {
        try
        {
            await group.DisposeAsync().ConfigureAwait(false);
        }
        catch (CgroupException exception)
        {
            throw new OciRuntimeException($"cannot delete container '{id}': {exception.Message}", exception);
        }
    }

    /// <summary>The end of one that this process is the parent of is somebody else's to hear; any other is waited for.</summary>
    private static async Task WaitForEndAsync(OciRecord record, CancellationToken cancellationToken)
    {
        for (long start = System.Diagnostics.Stopwatch.GetTimestamp(); ; await Task.Delay(1, cancellationToken).ConfigureAwait(false))
        {
            using PidDescriptor? process = record.OpenProcess();
            if (process is null) return;
            if (System.Diagnostics.Stopwatch.GetElapsedTime(start) > Patience) throw new OciRuntimeException($"process {record.ProcessId} was killed and has not ended: it waits in the kernel, as for a disk or a server that does not answer");
        }
    }

    private static OciConfig Config(string directory, OciRecord record)
    {
        try
        {
            return OciConfig.Read(File.ReadAllBytes(Path.Join(directory, OciRecord.ConfigName)), record.Bundle);
        }
        catch (Exception exception) when (exception is FormatException or IOException)
        {
            throw new OciRuntimeException($"The configuration of the container '{record.Id}' cannot be read: {exception.Message}", exception);
        }
    }

    private static OciConfig? TryConfig(string directory, OciRecord record)
    {
        try
        {
            return Config(directory, record);
        }
        catch (OciRuntimeException)
        {
            return null;
        }
    }

    internal Task<IDisposable> LockAsync(string id, CancellationToken cancellationToken) => LockAsync(PathOf(id), id, cancellationToken);

    /// <summary>Commands on one container come one after the other.</summary>
    private static async Task<IDisposable> LockAsync(string directory, string id, CancellationToken cancellationToken)
    {
        FileDescriptor opened;
        try
        {
            opened = FileDescriptor.Open(directory, Abi.O_RDONLY | TargetAbi.Current.O_DIRECTORY);
        }
        catch (LinuxException exception) when (exception.Errno == Errno.ENOENT)
        {
            throw new OciRuntimeException($"container '{id}' does not exist", exception);
        }

        try
        {
            // Free as a rule, which takes no other thread.
            if (!FileLock.TryTake(opened) && !await Task.Run(() => StateDirectory.TryTakeWithin(opened, Patience, cancellationToken), cancellationToken).ConfigureAwait(false))
                throw new OciRuntimeException($"another command has been at container '{id}' for {Patience.TotalSeconds} s");
            if (FileStatus.Of(opened).Links == 0) throw new OciRuntimeException($"container '{id}' does not exist");
            return new Locked(opened);
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    private sealed class Locked(FileDescriptor directory) : IDisposable
    {
        public void Dispose() => FileLock.ReleaseAndClose(directory);
    }
}
