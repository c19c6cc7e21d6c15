using System.Diagnostics;
using System.Globalization;
using System.Text;
using Isolation.Linux;
using Isolation.Nested;

namespace Isolation.Live.Tests;

/// <summary>A state directory of a test's own, and what others have put there.</summary>
internal sealed class StateFixture : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly List<Process> _processes = [];

    internal string Path => _directory["state"];

    internal string[] Owners => Directory.Exists(Path) ? Directory.GetDirectories(System.IO.Path.Join(Path, "owners")) : [];

    internal string[] Records => [.. Owners.SelectMany(owner => Directory.GetFiles(owner))];

    internal string[] Aside => Directory.GetFiles(System.IO.Path.Join(Path, "aside"));

    internal Task<IsolationHost> OpenAsync() => IsolationHost.OpenAsync(Path, Sandbox.Token);

    /// <summary>A directory like that of an owner that is dead, with files in it.</summary>
    internal string MakeDeadOwner(params (string Name, string Text)[] files)
    {
        string owner = Directory.CreateDirectory(System.IO.Path.Join(Path, "owners", $"999999-1-{HostScope.Current.PidNamespace}-{HostScope.Current.TimeNamespace}-{Guid.NewGuid().ToString("N")[..8]}")).FullName;
        File.SetUnixFileMode(Path, (UnixFileMode)0x1C0);
        foreach ((string name, string text) in files) File.WriteAllText(System.IO.Path.Join(owner, name), text);
        return owner;
    }

    internal static string Record(string id, bool outlives = false, HostScope? scope = null, int version = 1, DateTimeOffset started = default, params (int ProcessId, ulong StartTime)[] processes)
    {
        HostScope where = scope ?? HostScope.Current;
        RecordHeader header = new()
        {
            Version = version,
            Id = id,
            Boot = where.Boot,
            PidNamespace = where.PidNamespace,
            TimeNamespace = where.TimeNamespace,
            User = 0,
            Owner = 999_999,
            Started = started,
            OutlivesHost = outlives,
            Command = ["sleep", "1000"],
        };
        return Encoding.UTF8.GetString(RecordWriter.Line(header))
            + string.Concat(processes.Select(process => Encoding.UTF8.GetString(RecordWriter.Line(ProcessRemover.Resource(process.ProcessId, process.StartTime)))));
    }

    /// <summary>A process that runs until the test ends.</summary>
    internal (int ProcessId, ulong StartTime) Sleeper()
    {
        Stranger stranger = StartStranger();
        _processes.Add(stranger.Process);
        return stranger.Identity;
    }

    internal static Stranger StartStranger()
    {
        Process process = Process.Start("sleep", "1000");
        return new(process, (process.Id, ProcessStartTime.Read(process.Id)!.Value));
    }

    /// <summary>Another program that has opened the state directory and holds one container.</summary>
    internal async Task<(Process Host, string Id, int ProcessId)> HoldAsync(string options, params string[] command)
    {
        ProcessStartInfo start = new(NestedProgram.Path, ["state", "hold", Path, options, .. command]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        Process host = Process.Start(start)!;
        _processes.Add(host);
        string[] words = (await host.StandardOutput.ReadLineAsync(Sandbox.Token))!.Split(' ');
        return (host, words[0], int.Parse(words[1], CultureInfo.InvariantCulture));
    }

    internal static async Task EndsAsync(Process process)
    {
        process.Kill();
        await process.WaitForExitAsync(Sandbox.Token);
    }

    internal static bool IsAlive((int ProcessId, ulong StartTime) process) => ProcessRemover.IsAlive(process);

    public void Dispose()
    {
        foreach (Process process in _processes)
        {
            if (!process.HasExited) process.Kill();
            process.Dispose();
        }

        _directory.Dispose();
    }

    /// <summary>A process that no container has to do with.</summary>
    internal sealed record Stranger(Process Process, (int ProcessId, ulong StartTime) Identity) : IDisposable
    {
        public void Dispose()
        {
            if (!Process.HasExited) Process.Kill();
            Process.Dispose();
        }
    }
}
