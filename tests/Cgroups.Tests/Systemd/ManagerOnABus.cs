using System.Diagnostics;
using Tmds.DBus.Protocol;

namespace Isolation.Cgroups.Tests;

/// <summary>A bus that is real, and on it something that answers to systemd's name as a test wants it to.</summary>
internal sealed class ManagerOnABus : IPathMethodHandler, IDisposable
{
    internal const string Job = "/org/freedesktop/systemd1/job/7";
    private const string Manager = "org.freedesktop.systemd1.Manager";
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("isolation-bus");
    private readonly Process _daemon;
    private readonly DBusConnection _connection;
    private readonly Action<ManagerOnABus, MethodContext> _answer;

    private ManagerOnABus(Action<ManagerOnABus, MethodContext> answer)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/dbus-daemon"), "no dbus-daemon (Debian package dbus-daemon)");
        _answer = answer;
        Address = $"unix:path={_directory.FullName}/bus";
        _daemon = Process.Start(new ProcessStartInfo("/usr/bin/dbus-daemon", ["--session", "--nofork", "--nopidfile", $"--address={Address}", "--print-address"]) { RedirectStandardOutput = true })!;
        Assert.StartsWith("unix:path=", _daemon.StandardOutput.ReadLine(), StringComparison.Ordinal);
        _connection = new(Address);
    }

    internal string Address { get; }

    public string Path => "/org/freedesktop/systemd1";

    public bool HandlesChildPaths => false;

    // Away from the runner's synchronization context, on which it would answer.
    internal static Task<ManagerOnABus> StartAsync(Action<ManagerOnABus, MethodContext> answer) => Task.Run(async () =>
    {
        ManagerOnABus manager = new(answer);
        await manager._connection.ConnectAsync();
        manager._connection.AddMethodHandler(manager);
        await manager._connection.RequestNameAsync("org.freedesktop.systemd1", RequestNameOptions.None);
        return manager;
    }, TestContext.Current.CancellationToken);

    public ValueTask HandleMethodAsync(MethodContext context)
    {
        _answer(this, context);
        return default;
    }

    internal static void ReplyWithJob(MethodContext context)
    {
        MessageWriter writer = context.CreateReplyWriter("o");
        writer.WriteObjectPath(Job);
        context.Reply(writer.CreateMessage());
        writer.Dispose();
    }

    internal void Remove(string job, string result)
    {
        MessageWriter writer = _connection.GetMessageWriter();
        writer.WriteSignalHeader(null, Path, Manager, "JobRemoved", "uoss");
        writer.WriteUInt32(7);
        writer.WriteObjectPath(job);
        writer.WriteString("x.scope");
        writer.WriteString(result);
        Assert.True(_connection.TrySendMessage(writer.CreateMessage()));
        writer.Dispose();
    }

    public void Dispose()
    {
        _connection.Dispose();
        _daemon.Kill();
        _daemon.WaitForExit();
        _daemon.Dispose();
        _directory.Delete(recursive: true);
    }
}
