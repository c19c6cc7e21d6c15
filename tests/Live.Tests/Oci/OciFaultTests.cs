using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using Isolation.Linux;

namespace Isolation.Live.Tests;

/// <summary>Commands on OCI containers that are killed, come too late, or deal with clients and hooks that misbehave.</summary>
public sealed class OciFaultTests
{
    [Theory]
    [Trait("Category", "Slow")]
    [InlineData("create", 30)]
    [InlineData("start", 15)]
    [InlineData("exec", 15)]
    [InlineData("delete", 15)]
    public async Task What_a_command_leaves_that_is_killed_at_any_moment_the_next_puts_right(string command, int times)
    {
        Assert.SkipWhen(Environment.GetEnvironmentVariable("ISOLATION_TEST_KERNEL") is not null, "this machine's own kernel only: on an emulated processor each command takes many seconds");
        using Bundle bundle = Bundle.Shell("exec sleep 1000");
        string unique = $"killed-{Guid.NewGuid():N}", path = bundle.Write().Bundle;
        Directory.CreateDirectory(bundle.Containers.Directory);
        HashSet<OciStatus?> seen = [];
        TimeSpan whole = default;
        for (int i = 0; i <= times; i++)
        {
            string id = $"{unique}-{i}";
            OciProgram? program = command == "create" ? null : await bundle.CreateAsync(id);
            if (command is "exec" or "delete") await bundle.Containers.StartAsync(id, Sandbox.Token);
            if (command == "delete")
            {
                bundle.Containers.Kill(id, Abi.SIGKILL);
                await program!.WaitAsync(Sandbox.Token);
            }

            // The first is let to its end, by which the others are timed.
            string[] arguments = command switch { "create" => ["--bundle", path, id], "exec" => [id, "sleep", "0.01"], _ => [id] };
            TimeSpan taken = await RunAsync(i == 0 ? Timeout.InfiniteTimeSpan : whole * i / (times * 0.8), ["--root", bundle.Containers.Directory, command, .. arguments]);
            if (i == 0) whole = taken;

            OciStatus? left = bundle.Containers.List().SingleOrDefault()?.Status;
            seen.Add(left);
            if (command == "start" && left == OciStatus.Created) await bundle.Containers.StartAsync(id, Sandbox.Token);
            if (command is "start" or "exec")
            {
                Assert.Equal(OciStatus.Running, bundle.Containers.GetState(id).Status);
                OciProgram further = await bundle.Containers.ExecAsync(id, new() { Command = ["true"] }, Sandbox.Token);
                Assert.Equal(0, (await further.WaitAsync(Sandbox.Token)).ExitCode);
            }

            await bundle.Containers.DeleteAsync(id, force: true, Sandbox.Token);
            if (command != "delete" && program is not null) await program.WaitAsync(Sandbox.Token);
            Assert.Empty(bundle.Containers.List());
            Assert.Empty(Directory.GetFileSystemEntries(bundle.Containers.Directory));
        }

        if (command != "exec") Assert.True(seen.Count > 1, $"all were killed at {string.Join(", ", seen)}");
        Assert.Empty(Directory.EnumerateDirectories("/sys/fs/cgroup", $"*{unique}*", new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true }));
    }

    [Fact]
    public async Task A_program_that_enters_while_the_container_ends_gets_in_or_is_refused()
    {
        using Bundle bundle = Bundle.Shell("exec sleep 1000");
        int ran = 0, refused = 0;
        for (int round = 0; round < 20; round++)
        {
            OciProgram program = await bundle.CreateAsync("ending");
            await bundle.Containers.StartAsync("ending", Sandbox.Token);
            Task[] entering = [.. Enumerable.Range(0, 3).Select(_ => Task.Run(async () =>
            {
                while (true)
                {
                    try
                    {
                        OciProgram further = await bundle.Containers.ExecAsync("ending", new() { Command = ["true"] }, Sandbox.Token);
                        ContainerResult result = await further.WaitAsync(Sandbox.Token);
                        Assert.True(result.Succeeded || result.Signal == Abi.SIGKILL, result.ToString());
                        Interlocked.Increment(ref ran);
                    }
                    catch (OciRuntimeException refusal)
                    {
                        Assert.Contains("stopped", refusal.Message, StringComparison.Ordinal);
                        Interlocked.Increment(ref refused);
                        return;
                    }
                }
            }, Sandbox.Token))];
            await Task.Delay(10 + round * 2, Sandbox.Token);
            bundle.Containers.Kill("ending", Abi.SIGKILL);
            await Task.WhenAll(entering).WaitAsync(Sandbox.Token);
            Assert.Equal(Abi.SIGKILL, (await program.WaitAsync(Sandbox.Token)).Signal);
            await bundle.Containers.DeleteAsync("ending", cancellationToken: Sandbox.Token);
            Assert.Empty(Directory.GetFileSystemEntries(bundle.Containers.Directory));
        }

        Assert.True(ran > 0 && refused == 60, $"{ran} ran, {refused} were refused");
    }

    [Fact]
    public async Task Of_a_process_that_has_ended_nothing_is_joined_and_the_hosts_namespaces_are_not_taken_instead()
    {
        // A shell that became another program never hears of its child's end: nobody reaps that. The child ends once it has become one.
        using Process parent = Sandbox.StartOnHost("sh", "-c", "(while read -r name < /proc/$$/comm && [ $name = sh ]; do :; done) & echo $!; exec sleep 1000");
        int ended = int.Parse(await parent.StandardOutput.ReadLineAsync(Sandbox.Token) ?? "", CultureInfo.InvariantCulture);
        while (!(await File.ReadAllTextAsync($"/proc/{ended}/stat", Sandbox.Token)).Contains(") Z ", StringComparison.Ordinal)) await Task.Delay(1, Sandbox.Token);

        Assert.Contains("cannot be seen", Assert.Throws<ContainerException>(() => OciJoin.Of(ended)).Message, StringComparison.Ordinal);
        NamespaceSet shared = OciJoin.Of(parent.Id).Namespaces;
        Assert.All(Enum.GetValues<NamespaceKind>(), kind => Assert.True(shared.IsHost(kind), kind.ToString()));
        parent.Kill();
        await parent.WaitForExitAsync(Sandbox.Token);
        Assert.Contains("cannot be seen", Assert.Throws<ContainerException>(() => OciJoin.Of(parent.Id)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_number_that_another_process_has_by_now_is_not_joined()
    {
        await using Container container = await Sandbox.SleeperAsync();
        ulong start = ProcessStartTime.Read(container.ProcessId)!.Value;
        ContainerSpec its = OciJoin.Of(container.ProcessId, start), anothers = OciJoin.Of(container.ProcessId, start + 1);
        Assert.True((await (its with { Command = ["true"] }).RunAsync(Sandbox.Token)).Succeeded);
        ContainerException failure = await Assert.ThrowsAsync<ContainerException>(() => (anothers with { Command = ["true"] }).RunAsync(Sandbox.Token));
        Assert.Equal(ContainerErrorReason.NamespaceNotFound, failure.Reason);
        Assert.Contains("it has ended", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_hook_may_print_more_than_a_pipe_holds_and_an_error_has_a_bounded_part_of_it()
    {
        const string Much = "head -c 1000000 /dev/zero | tr '\\0' x; head -c 1000000 /dev/zero | tr '\\0' y >&2;";
        using Bundle bundle = Bundle.Shell("true");
        foreach (string point in (string[])["createRuntime", "createContainer", "startContainer", "poststart", "poststop"])
            bundle.Hook(point, Much, name: "sh");
        Assert.Equal(0, (await bundle.RunAsync()).ExitCode);

        bundle.Hook("createRuntime", $"{Much} printf 'the \\033[31mreason' >&2; exit 7");
        string failure = await bundle.RefusalAsync();
        Assert.Contains("reason", failure, StringComparison.Ordinal);
        Assert.InRange(failure.Length, 1, 20_000);
        Assert.DoesNotContain(failure, c => char.IsControl(c) && c != '\n');
        Assert.Empty(Directory.GetFileSystemEntries(bundle.Containers.Directory));
    }

    [Fact]
    public async Task A_console_socket_that_nobody_answers_at_is_an_error_and_nothing_is_left()
    {
        using Bundle bundle = WithTerminal("true");
        string path = bundle["console"];
        Directory.CreateDirectory(bundle.Containers.Directory);
        Assert.Contains(path, await RefusalAsync(), StringComparison.Ordinal);
        using (Socket socket = Listen(path)) Assert.True(File.Exists(path));
        Assert.Contains(path, await RefusalAsync(), StringComparison.Ordinal);

        async Task<string> RefusalAsync()
        {
            string message = (await Assert.ThrowsAsync<OciRuntimeException>(() => bundle.Containers.CreateAsync("console", bundle.Write() with { ConsoleSocket = path }, Sandbox.Token))).Message;
            Assert.Empty(Directory.GetFileSystemEntries(bundle.Containers.Directory));
            return message;
        }
    }

    [Fact]
    public async Task A_console_socket_that_is_closed_before_or_after_it_has_the_terminal_hangs_nobody()
    {
        using Bundle bundle = WithTerminal("trap 'exit 3' HUP; while read -r line; do :; done; exit 4");
        using Socket socket = Listen(bundle["console"]);
        Directory.CreateDirectory(bundle.Containers.Directory);
        Task closing = Task.Run(async () =>
        {
            while (true)
                using (Socket client = await socket.AcceptAsync(Sandbox.Token)) await Task.Delay(Random.Shared.Next(3), Sandbox.Token);
        }, Sandbox.Token);
        for (int round = 0; round < 10; round++)
        {
            OciProgram? program = null;
            try
            {
                program = await bundle.Containers.CreateAsync("console", bundle.Write() with { ConsoleSocket = bundle["console"] }, Sandbox.Token);
            }
            catch (OciRuntimeException refusal)
            {
                Assert.Contains(bundle["console"], refusal.Message, StringComparison.Ordinal);
            }

            if (program is not null)
            {
                await bundle.Containers.StartAsync("console", Sandbox.Token);
                ContainerResult result = await program.WaitAsync(Sandbox.Token); // its terminal has hung up
                Assert.True(result.ExitCode is 3 or 4 || result.Signal == 1, result.ToString());
                await bundle.Containers.DeleteAsync("console", cancellationToken: Sandbox.Token);
            }

            Assert.Empty(Directory.GetFileSystemEntries(bundle.Containers.Directory));
        }

        socket.Dispose();
        await closing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
    }

    private static Bundle WithTerminal(string script)
    {
        Bundle bundle = Bundle.Shell(script);
        bundle.Config["process"]!["terminal"] = true;
        return bundle;
    }

    private static Socket Listen(string path)
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));
        socket.Listen();
        return socket;
    }

    private static async Task<TimeSpan> RunAsync(TimeSpan killedAfter, string[] arguments)
    {
        long start = Stopwatch.GetTimestamp();
        using Process command = Sandbox.StartOnHost(Path.Join(AppContext.BaseDirectory, "isolation-runtime"), arguments);
        if (killedAfter != Timeout.InfiniteTimeSpan)
        {
            await Task.Delay(killedAfter, Sandbox.Token);
            command.Kill();
        }

        await command.WaitForExitAsync(Sandbox.Token);
        if (killedAfter == Timeout.InfiniteTimeSpan) Assert.Equal(0, command.ExitCode);
        return Stopwatch.GetElapsedTime(start);
    }
}
