using System.Diagnostics;

namespace Isolation.Cgroups.Tests;

/// <summary>A shell in a group, which opens and makes devices when it is asked to.</summary>
internal sealed class DeviceUser : IDisposable
{
    private const string Script = """
        while read use path; do
          case $use in
            r) (: < "$path") 2>&1 ;;
            w) (: > "$path") 2>&1 ;;
            rw) (: <> "$path") 2>&1 ;;
            m) mknod "$path" c 1 7 2>&1 && rm "$path" ;;
          esac && echo done
        done
        """;

    private const string Refused = "Operation not permitted";

    private readonly Process _shell = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", Script])
    {
        RedirectStandardInput = true, RedirectStandardOutput = true, Environment = { ["LC_ALL"] = "C" },
    })!;

    internal DeviceUser(TestGroup group) => group.Write("cgroup.procs", $"{_shell.Id}");

    /// <summary>Whether the kernel let it; anything but EPERM is no answer.</summary>
    internal bool May(string use, string path)
    {
        _shell.StandardInput.WriteLine($"{use} {path}");
        string answer = _shell.StandardOutput.ReadLine() ?? throw new InvalidOperationException("The shell ended.");
        if (answer == "done") return true;
        Assert.Contains(Refused, answer, StringComparison.Ordinal);
        return false;
    }

    public void Dispose()
    {
        _shell.StandardInput.Close();
        if (!_shell.WaitForExit(10_000)) _shell.Kill();
        _shell.WaitForExit();
        _shell.Dispose();
    }
}
