using System.Globalization;
using System.Runtime.InteropServices;
using Isolation.Launch;
using Isolation.Linux;

namespace Isolation;

/// <summary>The files of one detached container, in its directory beside those that an OCI runtime keeps of one (<see cref="OciRecord"/>).</summary>
internal sealed class DetachedFiles(string directory)
{
    private const string ProgramName = "program", StoppedName = "stopped", HealthName = "health", StartedName = "started";

    internal string Directory => directory;

    /// <summary>Where its init writes how the program ended (<see cref="InitSteps.StatusSize"/> bytes): no process of ours need be there.</summary>
    internal string Exit => Path.Join(directory, "exit");

    internal string Log => Path.Join(directory, "log");

    /// <summary>Locked by the process that owns it.</summary>
    internal string Owner => Path.Join(directory, "owner");

    /// <summary>Somebody has asked it to end: it is not started anew.</summary>
    internal bool IsStopped => File.Exists(Path.Join(directory, StoppedName));

    internal string RotatedLog(int number) => string.Create(CultureInfo.InvariantCulture, $"{Log}.{number}");

    internal void MarkStopped() => File.WriteAllText(Path.Join(directory, StoppedName), "");

    internal void ForgetStopped() => File.Delete(Path.Join(directory, StoppedName));

    internal HealthStatus Health
    {
        get => Enum.TryParse(Read(HealthName), out HealthStatus status) ? status : HealthStatus.None;
        set => Replace(HealthName, value.ToString());
    }

    internal DateTimeOffset Started
    {
        get => DateTimeOffset.TryParse(Read(StartedName), CultureInfo.InvariantCulture, out DateTimeOffset time) ? time : default;
        set => Replace(StartedName, value.UtcDateTime.ToString("O", CultureInfo.InvariantCulture));
    }

    /// <summary>The program that the init has started, and its start time: the init itself heeds no signal but SIGKILL.</summary>
    internal void NoteProgram(int processId)
    {
        if (ProcessStartTime.Read(processId) is { } start) Replace(ProgramName, string.Create(CultureInfo.InvariantCulture, $"{processId} {start}"));
    }

    internal PidDescriptor? OpenProgram() =>
        Read(ProgramName).Split(' ') is [{ } process, { } start] && int.TryParse(process, CultureInfo.InvariantCulture, out int id) && ulong.TryParse(start, CultureInfo.InvariantCulture, out ulong time) ? ProcessStartTime.Open(id, time) : null;

    /// <summary>How the program ended. An init that has written nothing was killed, and so was all that it had started.</summary>
    internal ContainerResult Result(Cgroups.CgroupStats? totals = null)
    {
        byte[] passed = File.Exists(Exit) ? File.ReadAllBytes(Exit) : [];
        WaitStatus status = passed.Length == InitSteps.StatusSize ? WaitStatus.Of(MemoryMarshal.Read<int>(passed), MemoryMarshal.Read<rusage>(passed.AsSpan(8))) : WaitStatus.Of(Abi.SIGKILL, default);
        DateTime ended = passed.Length > 0 ? File.GetLastWriteTimeUtc(Exit) : DateTime.UtcNow;
        TimeSpan elapsed = Started == default ? TimeSpan.Zero : ended - Started.UtcDateTime;
        return new(status, status.Outcome == WaitOutcome.Exited ? ContainerOutcome.Exited : ContainerOutcome.Signalled, status.MaxResidentBytes, CapturedOutput.None, CapturedOutput.None, elapsed < TimeSpan.Zero ? TimeSpan.Zero : elapsed, totals);
    }

    private string Read(string name)
    {
        try
        {
            return File.ReadAllText(Path.Join(directory, name)).Trim();
        }
        catch (IOException)
        {
            return "";
        }
    }

    private void Replace(string name, string text) => WholeFile.Replace(Path.Join(directory, name), text);
}
