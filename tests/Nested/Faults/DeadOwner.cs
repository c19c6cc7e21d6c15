using System.Text;
using Isolation.Linux;

namespace Isolation.Nested;

/// <summary>What a host that died has left in a state directory.</summary>
internal static class DeadOwner
{
    internal static void Make(string state, params int[] processes)
    {
        HostScope scope = HostScope.Current;
        string owner = Directory.CreateDirectory(Path.Join(state, "owners", $"999999-1-{scope.PidNamespace}-{scope.TimeNamespace}-{Guid.NewGuid().ToString("N")[..8]}")).FullName;
        File.SetUnixFileMode(state, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        for (int i = 0; i < processes.Length; i++)
        {
            RecordHeader header = new()
            {
                Version = RecordHeader.CurrentVersion, Id = $"dead{i}", Boot = scope.Boot, PidNamespace = scope.PidNamespace, TimeNamespace = scope.TimeNamespace,
                User = 0, Owner = 999_999, Started = DateTimeOffset.UnixEpoch, OutlivesHost = false, Command = ["sleep", "1000"],
            };
            byte[] process = RecordWriter.Line(ProcessRemover.Resource(processes[i], ProcessStartTime.Read(processes[i])!.Value)).ToArray();
            File.WriteAllText(Path.Join(owner, $"dead{i}.jsonl"), Encoding.UTF8.GetString(RecordWriter.Line(header)) + Encoding.UTF8.GetString(process));
        }
    }
}
