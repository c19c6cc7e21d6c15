using System.Collections.Concurrent;
using System.Text;
using Isolation.Linux;
using Microsoft.Win32.SafeHandles;

namespace Isolation.Live.Tests;

/// <summary>Calls that the host decides about.</summary>
[Trait("Lane", "VM")]
public sealed class SystemCallHandlerTests
{
    private static SystemCallHandler Always(SystemCallAnswer answer) => (_, _) => ValueTask.FromResult(answer);

    [Fact]
    public async Task A_call_fails_as_the_handler_says_and_those_it_does_not_name_are_not_its()
    {
        ContainerResult result = await Sandbox.HostShell("mkdir /tmp/a; echo text > /tmp/b && cat /tmp/b").WithSystemCallHandler(Always(SystemCallAnswer.Fail(Errno.ENOSPC)), "mkdir", "mkdirat").ResultAsync();

        Assert.Contains("No space left", result.StandardError, StringComparison.Ordinal);
        Assert.Equal("text\n", result.StandardOutput);
    }

    [Fact]
    public async Task What_was_asked_for_can_be_read_and_decided_by()
    {
        ConcurrentQueue<string> seen = [];
        SystemCallHandler handler = (call, _) =>
        {
            string path = call.ReadText(call.Name == "mkdir" ? 0 : 1);
            seen.Enqueue(path);
            Assert.True(call.IsWaiting);
            return ValueTask.FromResult(path.EndsWith("/no", StringComparison.Ordinal) ? SystemCallAnswer.Fail(Errno.EROFS) : SystemCallAnswer.Continue);
        };

        string[] lines = await Sandbox.HostShell("mkdir /tmp/yes; mkdir /tmp/no 2>/dev/null; ls /tmp").WithSystemCallHandler(handler, "mkdir", "mkdirat").LinesAsync();

        Assert.Equal(["yes"], lines);
        Assert.Equal(["/tmp/yes", "/tmp/no"], seen);
    }

    [Fact]
    public async Task A_value_is_what_the_call_returns() =>
        Assert.Equal("4711", await Sandbox.Host("id", "-u").WithSystemCallHandler(Always(SystemCallAnswer.Return(4711)), "getuid", "geteuid").OutputAsync());

    [Fact]
    public async Task An_open_file_is_put_into_the_program()
    {
        string path = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(path, "of the host\n", Sandbox.Token);
            using SafeFileHandle file = File.OpenHandle(path);
            SystemCallHandler handler = (call, _) => ValueTask.FromResult(call.ReadText(1) == "/no/such/file" ? SystemCallAnswer.OpenFile(file) : SystemCallAnswer.Continue);

            Assert.Equal("of the host", await Sandbox.Host("cat", "/no/such/file").WithSystemCallHandler(handler, "openat").OutputAsync());
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public async Task An_answer_can_be_written_to_the_programs_memory()
    {
        SystemCallHandler handler = (call, _) =>
        {
            byte[] name = new byte[65];
            Encoding.ASCII.GetBytes("Elsewhere", name);
            Assert.Equal(name.Length, call.WriteMemory(call.Arguments[0], name)); // utsname.sysname
            return ValueTask.FromResult(SystemCallAnswer.Return(0));
        };

        Assert.Equal("Elsewhere", await Sandbox.Host("uname", "-s").WithSystemCallHandler(handler, "uname").OutputAsync());
    }

    [Fact]
    public async Task An_answer_that_fails_or_is_late_is_an_error_and_the_program_goes_on()
    {
        SystemCallHandler handler = async (call, token) =>
        {
            if (call.Name.StartsWith("mkdir", StringComparison.Ordinal)) throw new InvalidDataException("broken");
            await Task.Delay(Timeout.Infinite, token);
            return SystemCallAnswer.Continue;
        };

        ContainerResult result = await Sandbox.HostShell("mkdir /tmp/a; rmdir /tmp/b; echo end").WithSystemCallHandler(handler, TimeSpan.FromMilliseconds(100), "mkdir", "mkdirat", "rmdir", "unlinkat").ResultAsync();

        Assert.Contains("Input/output error", result.StandardError, StringComparison.Ordinal);
        Assert.Contains("timed out", result.StandardError, StringComparison.OrdinalIgnoreCase);
        Assert.Equal("end\n", result.StandardOutput);
    }

    [Fact]
    public async Task Even_the_calls_that_start_and_end_a_program_can_be_asked_about()
    {
        ConcurrentQueue<string> seen = [];
        SystemCallHandler handler = (call, _) =>
        {
            seen.Enqueue(call.Name);
            return ValueTask.FromResult(SystemCallAnswer.Continue);
        };

        Assert.Equal("word", await Sandbox.Host("echo", "word").WithSystemCallHandler(handler, "execve", "write", "exit_group", "sendmsg", "sendto", "capset").OutputAsync());
        Assert.Equal(["execve", "write", "exit_group"], seen.Distinct());

        ContainerException exception = await Sandbox.Host("/no/such/program").WithSystemCallHandler(handler, "execve", "write", "exit_group", "sendmsg", "sendto").RefusalAsync();
        Assert.Equal(ContainerErrorReason.ProgramNotFound, exception.Reason);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Many_ask_at_once_also_from_further_programs_and_under_an_init(bool init)
    {
        int asked = 0;
        SystemCallHandler handler = async (_, token) =>
        {
            Interlocked.Increment(ref asked);
            await Task.Delay(50, token);
            return SystemCallAnswer.Continue;
        };
        await using Container container = await Sandbox.SleeperAsync(builder =>
        {
            builder.WithSystemCallHandler(handler, "mkdir", "mkdirat");
            if (init) builder.WithInit();
        });

        ContainerResult result = await container.NewProcess().WithCommand("sh", "-c", "for i in $(seq 20); do mkdir /tmp/$i & done; wait; ls /tmp | wc -l").RunAsync(Sandbox.Token);

        Assert.Equal("20", result.StandardOutput.Trim());
        Assert.Equal(20, asked);
    }

    [Fact]
    public async Task Who_is_killed_while_it_waits_is_gone()
    {
        TaskCompletionSource<SystemCallRequest> asked = new(), killed = new();
        SystemCallHandler handler = async (call, _) =>
        {
            asked.TrySetResult(call);
            await killed.Task;
            return SystemCallAnswer.Continue;
        };
        Container container = await Sandbox.Host("mkdir", "/tmp/a").WithSystemCallHandler(handler, "mkdir", "mkdirat").BeginAsync();
        SystemCallRequest request = await asked.Task.WaitAsync(Sandbox.Token);

        await container.DisposeAsync();
        killed.SetResult(request);

        Assert.False(request.IsWaiting);
        Assert.Throws<OperationCanceledException>(() => request.ReadText(0));
    }

    [Fact]
    public void Who_could_never_answer_is_refused()
    {
        Assert.Contains("WithSystemCallHandler", Assert.Throws<InvalidOperationException>(() => Sandbox.Host("true").WithSystemCallHandler(Always(SystemCallAnswer.Continue), "mkdir").OutliveHost().WithOutput(OutputTarget.Discard).WithError(OutputTarget.Discard).Build()).Message, StringComparison.Ordinal);
        Assert.Contains("'of_tomorrow'", Assert.Throws<InvalidOperationException>(() => Sandbox.Host("true").WithSystemCallHandler(Always(SystemCallAnswer.Continue), "of_tomorrow").Build()).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => Sandbox.Host("true").WithSystemCallHandler(Always(SystemCallAnswer.Continue), TimeSpan.Zero, "mkdir"));
        Assert.Throws<ArgumentOutOfRangeException>(() => SystemCallAnswer.Return(-1));
    }

    [Fact]
    public async Task A_recorded_policy_allows_the_workload_and_little_else()
    {
        const string Work = "mkdir /tmp/a && echo text > /tmp/a/b && cat /tmp/a/b";

        SeccompRecording recording = await SeccompRecorder.RecordAsync(Sandbox.HostShell(Work), Sandbox.Token);

        Assert.Equal("text\n", recording.Result.StandardOutput);
        Assert.Contains("execve", recording.SystemCalls.Keys);
        Assert.DoesNotContain("rmdir", recording.SystemCalls.Keys);
        foreach (SeccompPolicy policy in (SeccompPolicy[])[recording.Policy, SeccompPolicy.FromJson(recording.ToJson())])
        {
            Assert.Equal("text", await Sandbox.HostShell(Work).WithSeccomp(policy).OutputAsync());
            Assert.False((await Sandbox.HostShell(Work + " && rmdir /tmp/c").WithSeccomp(policy).ResultAsync()).Succeeded);
            Assert.Contains("not permitted", (await Sandbox.HostShell(Work + "; python3 -c 'import socket; socket.socket()' || perl -MSocket -e 'socket(my $s, PF_INET, SOCK_STREAM, 0) or die $!'").WithSeccomp(policy).ResultAsync()).StandardError, StringComparison.OrdinalIgnoreCase);
        }

        Assert.Contains("\"execve\"", recording.ToCSharp(), StringComparison.Ordinal);
    }
}
