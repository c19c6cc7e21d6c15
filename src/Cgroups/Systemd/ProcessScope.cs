using System.Globalization;
using Isolation.Linux;

namespace Isolation.Cgroups;

/// <summary>
/// The scope that systemd made for this process, in whose group it makes others. There is one for the whole process,
/// because a process is in one group: <c>isolation-PID-RANDOM.scope</c>, with the process itself beneath it, in a group
/// that makes room for others. What a process is in is read from the kernel, and not remembered.
/// </summary>
internal static class ProcessScope
{
    private const string Prefix = "isolation-", Suffix = ".scope";
    private const int Rounds = 100;
    private static readonly Lock Entering = new();

    /// <summary>Where this process is once it is in a scope of its own; it is moved there where it was not.</summary>
    /// <param name="place">The hierarchy of v2.</param>
    /// <param name="slice">That the scope must be in; null where it is all the same.</param>
    /// <exception cref="CgroupException">systemd makes none.</exception>
    internal static CgroupPlace Enter(CgroupPlace place, string? slice)
    {
        lock (Entering)
        {
            CgroupPlace now = place with { OwnPath = OwnPath() };
            if (ScopeOf(now.OwnPath) is not { } scope) return Move(place, slice);
            if (slice is null || Path.GetFileName(Path.GetDirectoryName(scope)) == slice) return now;
            throw new CgroupException(CgroupErrorReason.Busy, $"This process is in the scope '{scope}' already, and so no group of its can be in {slice}", remedy: "name one slice for all containers of a process");
        }
    }

    /// <summary>The path of the scope of ours that a path lies in; null where it lies in none.</summary>
    internal static string? ScopeOf(string path)
    {
        string scope = Path.GetFileName(path) == CgroupPlace.Leaf ? Path.GetDirectoryName(path)! : path;
        string name = Path.GetFileName(scope);
        return name.StartsWith(Prefix, StringComparison.Ordinal) && name.EndsWith(Suffix, StringComparison.Ordinal) ? scope : null;
    }

    private static CgroupPlace Move(CgroupPlace place, string? slice)
    {
        SystemdClient manager = SystemdClient.Find(out string? absence)
            ?? throw new CgroupException(CgroupErrorReason.NotSupported, $"systemd cannot make a control group: {absence}", remedy: "leave the choice to CgroupDriver.Automatic, or have a group delegated to this user");
        string name = string.Create(CultureInfo.InvariantCulture, $"{Prefix}{Environment.ProcessId}-{RandomName.Hex(8)}{Suffix}");
        try
        {
            manager.StartScope(name, slice, Environment.ProcessId);
        }
        catch (SystemdException exception)
        {
            throw Refused(manager, name, exception);
        }

        // The manager may count processes otherwise than this one, in another namespace, and then it has moved somebody else.
        CgroupPlace scope = place with { OwnPath = OwnPath() };
        if (Path.GetFileName(scope.OwnPath) != name)
            throw new CgroupException(CgroupErrorReason.Failed, $"systemd made the scope '{name}', but this process is in '{scope.OwnPath}'", remedy: "run in the pid namespace of systemd, and beneath the group that is mounted");
        MakeRoom(scope);
        return place with { OwnPath = $"{scope.OwnPath}/{CgroupPlace.Leaf}" };
    }

    /// <summary>This process, and what it may have started since it was moved, make room for groups with controllers.</summary>
    private static void MakeRoom(CgroupPlace scope)
    {
        using GroupDirectory group = GroupDirectory.Open(CgroupVersion.V2, scope.OwnDirectory);
        using GroupDirectory leaf = group.TryMake(CgroupPlace.Leaf) ?? group.Child(CgroupPlace.Leaf);
        for (int round = 0; group.Processes() is { Count: > 0 } processes; round++)
        {
            if (round == Rounds) throw new CgroupException(CgroupErrorReason.Busy, $"Processes keep coming into '{group.Path}'");
            foreach (int process in processes)
            {
                nint result = leaf.TryWrite("cgroup.procs", LimitText.Of(process));
                if (result != 0 && !Syscall.Is(result, Errno.ESRCH)) throw GroupFailures.Of(Syscall.Failure(result, "write", $"{leaf.Path}/cgroup.procs, \"{process}\""), $"make room in '{group.Path}'");
            }
        }
    }

    private static string OwnPath() => OwnGroups.Read().V2 ?? "/";

    private static CgroupException Refused(SystemdClient manager, string name, SystemdException exception)
    {
        bool forbidden = exception.Name is "org.freedesktop.DBus.Error.AccessDenied" or "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired";
        return new(forbidden ? CgroupErrorReason.NotPermitted : CgroupErrorReason.Failed, $"systemd, asked through {manager.Addresses}, does not make the scope '{name}'", exception,
            "see systemctl [--user] status; or have a group delegated to this user, and choose CgroupDriver.Cgroupfs");
    }
}
