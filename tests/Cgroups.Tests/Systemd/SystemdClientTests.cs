using System.Net.Sockets;
using Tmds.DBus.Protocol;

namespace Isolation.Cgroups.Tests;

/// <summary>What is asked of a service manager, and every way that it can answer. A systemd that runs is asked in the virtual machine.</summary>
public sealed class SystemdClientTests
{
    [Fact]
    public async Task A_scope_is_asked_for_and_its_job_waited_for()
    {
        List<string> asked = [];
        bool isRemoved = false;
        using ManagerOnABus manager = await ManagerOnABus.StartAsync((self, context) =>
        {
            asked.AddRange(Read(context.Request));
            ManagerOnABus.ReplyWithJob(context);
            self.Remove("/org/freedesktop/systemd1/job/1", "failed"); // another's
            isRemoved = true;
            self.Remove(ManagerOnABus.Job, "done");
        });

        await AskAsync(manager.Address, "isolation-1-a.scope", "work.slice", 258);

        Assert.True(isRemoved);
        Assert.Equal(
            ["StartTransientUnit", "isolation-1-a.scope", "fail", "Description=s:Containers of a program", "PIDs=au:258", "Delegate=b:True", "CollectMode=s:inactive-or-failed", $"TasksMax=t:{ulong.MaxValue}", "Slice=s:work.slice", "0 units"],
            asked);
    }

    [Fact]
    public async Task A_job_that_is_done_before_its_name_is_known_is_heard_of()
    {
        using ManagerOnABus manager = await ManagerOnABus.StartAsync((self, context) =>
        {
            self.Remove(ManagerOnABus.Job, "done");
            ManagerOnABus.ReplyWithJob(context);
        });

        await AskAsync(manager.Address, "x.scope", null, 1);
    }

    [Fact]
    public async Task A_job_that_fails_says_how()
    {
        using ManagerOnABus manager = await ManagerOnABus.StartAsync((self, context) =>
        {
            ManagerOnABus.ReplyWithJob(context);
            self.Remove(ManagerOnABus.Job, "timeout");
        });

        Assert.Equal("the job of x.scope ended with 'timeout'", (await RefusalAsync(manager.Address)).Message);
    }

    [Fact]
    public async Task An_error_has_a_name_and_a_text()
    {
        using ManagerOnABus manager = await ManagerOnABus.StartAsync((_, context) => context.ReplyError("org.freedesktop.DBus.Error.AccessDenied", "not you"));

        SystemdException exception = await RefusalAsync(manager.Address);

        Assert.Equal(("org.freedesktop.DBus.Error.AccessDenied", "StartTransientUnit is answered with org.freedesktop.DBus.Error.AccessDenied: not you"), (exception.Name, exception.Message));
    }

    [Fact]
    public async Task One_that_never_ends_its_job_is_given_up()
    {
        using ManagerOnABus manager = await ManagerOnABus.StartAsync((_, context) => ManagerOnABus.ReplyWithJob(context));

        Assert.EndsWith("did not answer within 1 s", (await RefusalAsync(manager.Address, seconds: 1)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_there_is_no_bus_it_is_said() =>
        Assert.StartsWith("There is no bus to talk to at unix:path=/nonexistent/bus: ", (await RefusalAsync("unix:path=/nonexistent/bus")).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("REJECTED ANONYMOUS\r\n")]
    [InlineData("HTTP/1.1 400 Bad Request\r\n\r\n")]
    [InlineData("")]
    public async Task What_is_no_bus_is_told_from_one(string answer)
    {
        DirectoryInfo directory = Directory.CreateTempSubdirectory("isolation-bus");
        try
        {
            using Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            listener.Bind(new UnixDomainSocketEndPoint(Path.Join(directory.FullName, "bus")));
            listener.Listen();
            Task peer = Task.Run(() =>
            {
                using Socket socket = listener.Accept();
                socket.Receive(new byte[1000]);
                if (answer.Length > 0) socket.Send(System.Text.Encoding.ASCII.GetBytes(answer));
            }, TestContext.Current.CancellationToken);

            Assert.Contains("no bus to talk to", (await RefusalAsync($"unix:path={directory.FullName}/bus")).Message, StringComparison.Ordinal);
            await peer;
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static Task<SystemdException> RefusalAsync(string address, int seconds = 60) =>
        Assert.ThrowsAsync<SystemdException>(() => AskAsync(address, "x.scope", null, 1, seconds));

    /// <summary>On a thread of its own: it blocks, and the runner has few.</summary>
    private static Task AskAsync(string address, string name, string? slice, int processId, int seconds = 60) =>
        Task.Factory.StartNew(() => new SystemdClient(address, TimeSpan.FromSeconds(seconds)).StartScope(name, slice, processId), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static List<string> Read(Message message)
    {
        Reader reader = message.GetBodyReader();
        List<string> seen = [message.MemberAsString!, reader.ReadString(), reader.ReadString()];
        ArrayEnd properties = reader.ReadArrayStart(DBusType.Struct);
        while (reader.HasNext(properties))
        {
            reader.AlignStruct();
            string name = reader.ReadString();
            VariantValue value = reader.ReadVariantValue();
            seen.Add(value.Type switch
            {
                VariantValueType.String => $"{name}=s:{value.GetString()}",
                VariantValueType.Bool => $"{name}=b:{value.GetBool()}",
                VariantValueType.UInt64 => $"{name}=t:{value.GetUInt64()}",
                VariantValueType.Array => $"{name}=au:{string.Join(',', value.GetArray<uint>())}",
                _ => $"{name}:{value.Type}",
            });
        }

        int units = 0;
        ArrayEnd auxiliary = reader.ReadArrayStart(DBusType.Struct);
        while (reader.HasNext(auxiliary)) units++;
        seen.Add($"{units} units");
        return seen;
    }
}
