using System.Globalization;
using System.Net.Sockets;
using System.Threading.Channels;
using Isolation.Linux;
using Tmds.DBus.Protocol;

namespace Isolation.Cgroups;

/// <summary>
/// The service manager that makes groups for this user: the system's for root, <c>systemd --user</c> for others
/// (org.freedesktop.systemd1(5)). Safe from any thread.
/// </summary>
/// <param name="addresses">Of the bus that it is on (D-Bus specification, "Server Addresses").</param>
/// <param name="patience">How long an answer may take.</param>
internal sealed class SystemdClient(string addresses, TimeSpan patience)
{
    private const string Service = "org.freedesktop.systemd1", Manager = "org.freedesktop.systemd1.Manager", ManagerPath = "/org/freedesktop/systemd1", Starting = "StartTransientUnit", Attaching = "AttachProcessesToUnit";
    private const string Booted = "/run/systemd/system"; // sd_booted(3)
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(25); // as sd-bus has it, sd_bus_set_method_call_timeout(3)

    internal string Addresses => addresses;

    /// <summary>Null where there is none, and <paramref name="absence"/> says why.</summary>
    internal static SystemdClient? Find(out string? absence)
    {
        if (!Directory.Exists(Booted))
        {
            absence = $"systemd is not the first process here: there is no {Booted} (sd_booted(3))";
            return null;
        }

        uint user = (uint)Syscall.Invoke(SystemCall.geteuid);
        string addresses = AddressesOf(user, Environment.GetEnvironmentVariable);
        IReadOnlyList<string> paths = DBusAddress.PathsOf(addresses);
        string? path = paths.FirstOrDefault(path => path.StartsWith('\0') || File.Exists(path));
        absence = path is not null ? null
            : user == 0 ? $"there is no bus of the system at '{addresses}'"
            : $"user {user} has no bus at '{addresses}', and so no service manager that answers: log in, or loginctl enable-linger";
        return path is null ? null : new(addresses, Patience);
    }

    /// <summary>Where the bus is, as sd_bus_open_system(3) and sd_bus_open_user(3) look for it.</summary>
    internal static string AddressesOf(uint user, Func<string, string?> environment)
    {
        if (user == 0) return environment("DBUS_SYSTEM_BUS_ADDRESS") is { Length: > 0 } system ? system : "unix:path=/run/dbus/system_bus_socket";
        if (environment("DBUS_SESSION_BUS_ADDRESS") is { Length: > 0 } session) return session;
        string runtime = environment("XDG_RUNTIME_DIR") is { Length: > 0 } directory ? directory : string.Create(CultureInfo.InvariantCulture, $"/run/user/{user}");
        return $"unix:path={Uri.EscapeDataString(runtime).Replace("%2F", "/", StringComparison.Ordinal)}/bus";
    }

    /// <summary>
    /// Makes a transient scope (systemd.scope(5)) and moves a process into its group, which is the user's to divide
    /// (<c>Delegate=yes</c>; systemd's CGROUP_DELEGATION document). Returns when that is done. It goes with its last process.
    /// </summary>
    /// <param name="name">Of the unit.</param>
    /// <param name="slice">To make it in; null for the manager's own choice.</param>
    /// <param name="processId">As the manager sees it.</param>
    /// <exception cref="SystemdException">It does not.</exception>
    internal void StartScope(string name, string? slice, int processId) => Ask(Starting, bus => StartScopeAsync(bus, name, slice, processId));

    /// <summary>Moves a process into the group of a unit: where a user may not, because the process is in none of his own yet.</summary>
    /// <exception cref="SystemdException">It does not.</exception>
    internal void AttachProcess(string unit, int processId) => Ask(Attaching, async bus =>
    {
        await bus.ConnectAsync().ConfigureAwait(false);
        await bus.CallMethodAsync(AttachCall(bus, unit, processId)).ConfigureAwait(false);
    });

    private void Ask(string what, Func<DBusConnection, Task> ask)
    {
        using DBusConnection bus = new(addresses);
        try
        {
            // On the pool: who calls may have a synchronization context that what comes after an await would wait for.
            Task.Run(() => ask(bus)).WaitAsync(patience).GetAwaiter().GetResult();
        }
        catch (DBusErrorReplyException exception)
        {
            throw new SystemdException($"{what} is answered with {exception.ErrorName}: {exception.ErrorMessage}", exception.ErrorName, exception);
        }
        catch (TimeoutException exception)
        {
            throw new SystemdException(string.Create(CultureInfo.InvariantCulture, $"{addresses} did not answer within {patience.TotalSeconds} s"), cause: exception);
        }
        catch (Exception exception) when (exception is DBusExceptionBase or SocketException or IOException or ArgumentException)
        {
            throw new SystemdException($"There is no bus to talk to at {addresses}: {exception.Message}", cause: exception);
        }
    }

    private static async Task StartScopeAsync(DBusConnection bus, string name, string? slice, int processId)
    {
        await bus.ConnectAsync().ConfigureAwait(false);

        // Listened for before the job is begun, which may be done before its name is known here.
        Channel<(string Job, string Result)> removed = Channel.CreateUnbounded<(string, string)>();
        MatchRule rule = new() { Type = MessageType.Signal, Sender = Service, Path = ManagerPath, Interface = Manager, Member = "JobRemoved" };
        using IDisposable listening = await bus.AddMatchAsync(rule, ReadRemoved, notification =>
        {
            if (notification.HasValue) removed.Writer.TryWrite(notification.Value);
            else removed.Writer.TryComplete(notification.CompletionReason);
        }, emitOnCapturedContext: false, ObserverFlags.EmitOnConnectionFailed).ConfigureAwait(false);
        string job = await bus.CallMethodAsync(Call(bus, name, slice, processId), static (reply, _) => reply.GetBodyReader().ReadObjectPathAsString(), null).ConfigureAwait(false);
        await foreach ((string ended, string result) in removed.Reader.ReadAllAsync().ConfigureAwait(false))
        {
            if (ended != job) continue;
            if (result == "done") return;
            throw new SystemdException($"the job of {name} ended with '{result}'");
        }

        throw new SystemdException($"the bus was closed before the job of {name} had ended");
    }

    /// <summary>JobRemoved(u id, o job, s unit, s result).</summary>
    private static (string Job, string Result) ReadRemoved(Message message, object? state)
    {
        Reader reader = message.GetBodyReader();
        reader.ReadUInt32();
        string job = reader.ReadObjectPathAsString();
        reader.ReadString();
        return (job, reader.ReadString());
    }

    private static MessageBuffer AttachCall(DBusConnection bus, string unit, int processId)
    {
        MessageWriter writer = bus.GetMessageWriter();
        try
        {
            writer.WriteMethodCallHeader(Service, ManagerPath, Manager, Attaching, "ssau");
            writer.WriteString(unit);
            writer.WriteString(""); // the unit's own group, and none beneath
            writer.WriteArray(new uint[] { (uint)processId });
            return writer.CreateMessage();
        }
        finally
        {
            writer.Dispose();
        }
    }

    private static MessageBuffer Call(DBusConnection bus, string name, string? slice, int processId)
    {
        MessageWriter writer = bus.GetMessageWriter();
        try
        {
            writer.WriteMethodCallHeader(Service, ManagerPath, Manager, Starting, "ssa(sv)a(sa(sv))");
            writer.WriteString(name);
            writer.WriteString("fail"); // nobody else's unit of that name is replaced
            ArrayStart properties = writer.WriteArrayStart(DBusType.Struct);
            Property(ref writer, "Description", VariantValue.String("Containers of a program"));
            Property(ref writer, "PIDs", VariantValue.Array(new uint[] { (uint)processId }));
            Property(ref writer, "Delegate", VariantValue.Bool(true));
            Property(ref writer, "CollectMode", VariantValue.String("inactive-or-failed")); // nothing of it stays, however it ends
            Property(ref writer, "TasksMax", VariantValue.UInt64(ulong.MaxValue)); // else DefaultTasksMax= would hold beside the containers' own limits
            if (slice is not null) Property(ref writer, "Slice", VariantValue.String(slice));
            writer.WriteArrayEnd(properties);
            writer.WriteArrayEnd(writer.WriteArrayStart(DBusType.Struct)); // no auxiliary units
            return writer.CreateMessage();
        }
        finally
        {
            writer.Dispose();
        }

        static void Property(ref MessageWriter writer, string property, VariantValue value)
        {
            writer.WriteStructureStart();
            writer.WriteString(property);
            writer.WriteVariant(value);
        }
    }
}
