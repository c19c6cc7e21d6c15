using System.Collections.Immutable;
using Isolation.Linux;
using static Isolation.Linux.Abi;
using static Isolation.Linux.SystemCall;

namespace Isolation.Launch;

internal static class NamespaceSteps
{
    internal static void WaitForHost(PlanWriter writer, Slot id, string purpose = "wait for the host to write the identity maps")
    {
        Label alive = new("go");
        writer.For(purpose);
        writer.Call(read, writer.Channel, Operand.AddressOf(id), LaunchPlanner.GoSize)
            .When(LaunchPlanner.GoSize, alive);
        writer.For("end quietly, because the host ended");
        writer.Call(exit_group, 127);
        writer.Mark(alive);
    }

    /// <summary>A session of its own, so that the container cannot push input into the host's terminal (TIOCSTI).</summary>
    internal static void LeaveSession(PlanWriter writer, PlanInputs inputs)
    {
        ChooseSession(writer, inputs.Spec);
        if (!inputs.Spec.OutlivesHost)
        {
            writer.For("die with the host");
            writer.Call(prctl, Operand.Named(PR_SET_PDEATHSIG, "PR_SET_PDEATHSIG"), Operand.Named(SIGKILL, "SIGKILL"));
        }

        writer.For("create files with the modes that are asked for");
        writer.Call(umask, 0);
    }

    /// <summary>Of each process that is or may become the program: a fork stays in its parent's.</summary>
    internal static void ChooseSession(PlanWriter writer, ContainerSpec spec)
    {
        switch (spec.Session)
        {
            case ProgramSession.New:
                writer.For("leave the host's session and terminal");
                writer.Call(setsid);
                break;
            case ProgramSession.ProcessGroup:
                writer.For("leave the host's process group");
                writer.Call(setpgid, 0, 0);
                break;
        }
    }

    internal static void JoinUser(PlanWriter writer, PlanInputs inputs)
    {
        NamespaceSet namespaces = inputs.Spec.Namespaces;
        if (!namespaces.IsJoined(NamespaceKind.User)) return;
        writer.For("join the user namespace");
        writer.Call(setns, inputs.Passed.DescriptorOf(NamespaceKind.User), Operand.Named(CLONE_NEWUSER, "CLONE_NEWUSER"));
    }

    /// <summary>Becomes root of the user namespace; every mount comes after this.</summary>
    internal static void BecomeRoot(PlanWriter writer, PlanInputs inputs)
    {
        NamespaceSet namespaces = inputs.Spec.Namespaces;
        if (namespaces.IsHost(NamespaceKind.User)) return;

        // The ids of the host's process may stand for others inside, or for none.
        writer.For("become root of the user namespace");
        IdentityMaps maps = inputs.Maps;
        if (namespaces.IsJoined(NamespaceKind.User) || maps.AllowsSetGroups)
            writer.Call(setgroups, 0, Operand.Null).Tolerate(Errno.EPERM);
        uint? group = namespaces.IsJoined(NamespaceKind.User) ? 0 : Owner(maps.Groups, inputs.Host.GroupId), user = namespaces.IsJoined(NamespaceKind.User) ? 0 : Owner(maps.Users, inputs.Host.UserId);
        if (group is { } groupId) writer.Call(setresgid, groupId, groupId, groupId);
        if (user is { } userId) writer.Call(setresuid, userId, userId, userId);
    }

    /// <summary>Who makes what the container is made of: root, where there is one; else who the caller is in there, or the first who is somebody. Null for who this process is already.</summary>
    private static uint? Owner(ImmutableArray<IdMapping> map, uint caller) =>
        IdentityMaps.Has(map, 0) ? 0 : map.Any(range => caller >= range.HostId && caller - range.HostId < range.Count) ? null : map[0].ContainerId;

    /// <summary>
    /// Joins what exists already. A pid namespace holds only for children, so joining one takes a fork; the child is
    /// made a child of the host (CLONE_PARENT), which hears its pid over the channel.
    /// </summary>
    internal static void Join(PlanWriter writer, PlanInputs inputs)
    {
        NamespaceSet namespaces = inputs.Spec.Namespaces;
        if (inputs.Passed.Joined.Count > 0)
        {
            // Processes that are inside already could trace this one while it enters and take its descriptors
            // (CVE-2016-9962). Executing the program makes it an ordinary process again.
            writer.For("forbid that this process is traced while it enters");
            writer.Call(prctl, Operand.Named(PR_SET_DUMPABLE, "PR_SET_DUMPABLE"), 0, 0, 0, 0);
        }

        // A mount namespace last: it takes this process's view of every path with it.
        foreach (JoinedNamespaces joined in inputs.Passed.Joined.OrderBy(joined => joined.Kinds.Contains(NamespaceKind.Mount)))
        {
            List<NamespaceKind> kinds = [.. joined.Kinds.Where(kind => kind != NamespaceKind.User)];
            if (kinds.Count == 0) continue;
            ulong flags = 0;
            foreach (NamespaceKind kind in kinds) flags |= Flag(kind);
            writer.For($"join the {string.Join(", ", kinds.Select(Name))} namespace{(kinds.Count > 1 ? "s" : "")}");
            writer.Call(setns, inputs.Passed.DescriptorOf(kinds[0]), Operand.Named(flags, string.Join('|', kinds.Select(FlagName))));
        }

        if (NeedsFork(namespaces)) Fork(writer, inputs);
    }

    /// <summary>
    /// Whether the program is a grandchild: where the pid namespace is joined, or a new one must belong to a user
    /// namespace that is joined only here.
    /// </summary>
    internal static bool NeedsFork(NamespaceSet namespaces) =>
        namespaces.IsJoined(NamespaceKind.Pid)
        || (namespaces.IsNew(NamespaceKind.Pid) && namespaces.IsJoined(NamespaceKind.User));

    /// <summary>What clone3 makes at birth; all else the child unshares, so that launches run side by side.</summary>
    internal static ulong BirthFlags(NamespaceSet namespaces)
    {
        ulong flags = 0;
        if (namespaces.IsNew(NamespaceKind.User)) flags |= CLONE_NEWUSER;
        if (namespaces.IsNew(NamespaceKind.Pid) && !NeedsFork(namespaces)) flags |= CLONE_NEWPID;
        return flags;
    }

    internal static void Unshare(PlanWriter writer, PlanInputs inputs)
    {
        NamespaceSet namespaces = inputs.Spec.Namespaces;
        ulong flags = 0;
        List<string> names = [];
        foreach (NamespaceKind kind in (ReadOnlySpan<NamespaceKind>)
            [NamespaceKind.Mount, NamespaceKind.Uts, NamespaceKind.Ipc, NamespaceKind.Network, NamespaceKind.Cgroup])
        {
            if (!namespaces.IsNew(kind) || (kind == NamespaceKind.Cgroup && !inputs.Host.HasCgroupNamespaces)) continue;
            flags |= Flag(kind);
            names.Add(FlagName(kind));
        }

        if (flags != 0)
        {
            writer.For("make the new namespaces");
            writer.Call(unshare, Operand.Named(flags, string.Join('|', names)));
        }
    }

    // unshare(CLONE_NEWTIME) holds for children only, so that the offsets can be written before anybody is inside;
    // setns to what the children would get brings this process in, which must be single-threaded, and is.
    internal static void NewTime(PlanWriter writer, PlanInputs inputs)
    {
        ContainerSpec spec = inputs.Spec;
        if (!spec.Namespaces.IsNew(NamespaceKind.Time) || !inputs.Host.HasTimeNamespaces) return;

        // Joining a user namespace has made this process undumpable, and so its files in /proc the host root's.
        bool dumpable = spec.Namespaces.IsJoined(NamespaceKind.User) && (spec.BootTimeOffset != TimeSpan.Zero || spec.MonotonicTimeOffset != TimeSpan.Zero);
        writer.For("make the new time namespace");
        writer.Call(unshare, Operand.Named(CLONE_NEWTIME, "CLONE_NEWTIME"));
        if (dumpable) writer.Call(prctl, Operand.Named(PR_SET_DUMPABLE, "PR_SET_DUMPABLE"), 1, 0, 0, 0);
        WriteOffset(writer, "boottime", spec.BootTimeOffset);
        WriteOffset(writer, "monotonic", spec.MonotonicTimeOffset);
        writer.For("enter the new time namespace");
        Slot descriptor = writer.CallInto("time namespace", openat, Operand.CurrentDirectory, "/proc/self/ns/time_for_children",
            Operand.Named(O_RDONLY | O_CLOEXEC, "O_RDONLY|O_CLOEXEC"));
        writer.Call(setns, descriptor, Operand.Named(CLONE_NEWTIME, "CLONE_NEWTIME"));
    }

    private static void WriteOffset(PlanWriter writer, string clock, TimeSpan offset)
    {
        if (offset == TimeSpan.Zero) return;
        (long seconds, long ticks) = Math.DivRem(offset.Ticks, TimeSpan.TicksPerSecond);
        if (ticks < 0) (seconds, ticks) = (seconds - 1, ticks + TimeSpan.TicksPerSecond);
        string line = FormattableString.Invariant($"{clock} {seconds} {ticks * 100}\n");
        writer.For($"set the offset of the {clock} clock");
        Slot file = writer.CallInto("offsets", openat, Operand.CurrentDirectory, "/proc/self/timens_offsets",
            Operand.Named(O_WRONLY | O_CLOEXEC, "O_WRONLY|O_CLOEXEC"));
        writer.Call(write, file, Operand.Content(line), line.Length);
    }

    private static void Fork(PlanWriter writer, PlanInputs inputs)
    {
        NamespaceSet namespaces = inputs.Spec.Namespaces;
        if (namespaces.IsNew(NamespaceKind.Pid))
        {
            writer.For("make the new pid namespace");
            writer.Call(unshare, Operand.Named(CLONE_NEWPID, "CLONE_NEWPID"));
        }

        Label inside = new("inside the pid namespace");
        Slot child = new("child");
        writer.For("enter the pid namespace");
        writer.Call(clone, Operand.Named(CLONE_PARENT | SIGCHLD, "CLONE_PARENT|SIGCHLD"), 0, 0, 0, 0).Into(child).When(0, inside);
        writer.For("tell the host which process it is");
        Label again = new("tell the host once more"), told = new("the host was told");
        writer.Call(write, writer.Channel, Operand.AddressOf(child), 8).OnErrorGo(again);
        writer.Mark(told);
        writer.Call(exit_group, 0);
        writer.Later(() =>
        {
            // Nobody else knows of that process, and it is the host's to reap.
            writer.For("tell the host which process it is");
            writer.Mark(again);
            writer.Call(write, writer.Channel, Operand.AddressOf(child), 8).When(8, told);
        });
        writer.Mark(inside);
        ChooseSession(writer, inputs.Spec);
        if (inputs.Spec.OutlivesHost)
        {
            // Nothing ends it with the host, so it does nothing before it is recorded.
            WaitForHost(writer, new Slot("recorded", LaunchPlanner.GoSize), "wait for the host to record this process");
            return;
        }

        writer.For("die with the host");
        writer.Call(prctl, Operand.Named(PR_SET_PDEATHSIG, "PR_SET_PDEATHSIG"), Operand.Named(SIGKILL, "SIGKILL"));
    }

    private static string Name(NamespaceKind kind) => kind.ToString().ToLowerInvariant();

    internal static ulong Flag(NamespaceKind kind) => kind switch
    {
        NamespaceKind.User => CLONE_NEWUSER,
        NamespaceKind.Pid => CLONE_NEWPID,
        NamespaceKind.Network => CLONE_NEWNET,
        NamespaceKind.Ipc => CLONE_NEWIPC,
        NamespaceKind.Mount => CLONE_NEWNS,
        NamespaceKind.Uts => CLONE_NEWUTS,
        NamespaceKind.Cgroup => CLONE_NEWCGROUP,
        _ => CLONE_NEWTIME,
    };

    internal static string FlagName(NamespaceKind kind) => kind switch
    {
        NamespaceKind.Mount => "CLONE_NEWNS",
        NamespaceKind.Network => "CLONE_NEWNET",
        _ => "CLONE_NEW" + kind.ToString().ToUpperInvariant(),
    };
}
