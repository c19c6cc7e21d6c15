using System.Buffers.Binary;
using Isolation.Launch;
using Isolation.Linux;
using static Isolation.Linux.Abi;
using static Isolation.Linux.SystemCall;

namespace Isolation.Tests;

/// <summary>
/// The rules of order that the design rests on, in one place. A plan is run as a graph: every way through it, with every
/// fallback, in every state it can be in. <see cref="Require"/> states what must hold before a step; <see cref="After"/>
/// says what a step changes.
/// </summary>
internal sealed class OrderRules
{
    private readonly PlanInputs _inputs;
    private readonly PlanGraph _graph;
    private readonly IdentityMaps _maps;
    private readonly MountTargets _targets;
    private readonly MountDuties _duties;
    private readonly string[] _given;
    private readonly ulong _ungranted;
    private readonly ulong _ignoredSignals;

    internal OrderRules(PlanInputs inputs, PlanGraph graph)
    {
        (_inputs, _graph) = (inputs, graph);
        _maps = IdentityMaps.For(inputs.Spec, inputs.Host);
        _targets = new(inputs, graph.Plan);
        _duties = new(inputs, graph.Plan);
        _given = [.. EtcSteps.Targets(inputs.Spec)];
        _ungranted = ~(inputs.Spec.Sets?.Bounding ?? inputs.Spec.Capabilities).Bits & (ulong.MaxValue >> (63 - inputs.Host.LastCapability));
        foreach (int signal in inputs.Host.IgnoredSignals) _ignoredSignals |= 1UL << (signal - 1);
    }

    private bool NewMounts => _inputs.Spec.Namespaces.IsNew(NamespaceKind.Mount);

    private IReadOnlyList<LaunchStep> Steps => _graph.Plan.Steps;

    /// <summary>Follows every way through the plan; throws at the first step that breaks a rule.</summary>
    internal void Check()
    {
        HashSet<(int, PlanState)> seen = [(0, new())];
        Stack<(int Step, PlanState State)> work = new(seen);
        while (work.TryPop(out (int Step, PlanState State) at))
        {
            LaunchStep step = Steps[at.Step];
            Require(at.State, step, rule => throw new PlanRuleException(_graph.Plan, at.Step, rule));
            foreach (PlanEdge edge in _graph.From(at.Step))
            {
                PlanState after = After(at.State, step, edge);
                if (seen.Add((edge.To, after))) work.Push((edge.To, after));
            }
        }
    }

    private void Require(PlanState state, LaunchStep step, Action<string> broken)
    {
        void Must(bool holds, string rule)
        {
            if (!holds) broken(rule);
        }

        // Identity before privilege.
        if (step.IsPrivileged())
        {
            Must(state.MapsWritten, "nothing privileged is done before the host has written the identity maps");
            Must(IsAboutClocks(step) ? HasJoinedUser(state) : HasEnteredIdentity(state), "nothing privileged is done before the identity of the user namespace is entered");
        }

        if (IsAboutClocks(step) || (step.Call == openat && step.Text(1) == "/proc/self/timens_offsets"))
            Must(!state.IsRootUser || _inputs.Spec.Namespaces.IsHost(NamespaceKind.User), "clocks are set before the ids change: from then on this process's files in /proc are not its own");
        if (step.Call == setns && step.Operands[0].Kind == OperandKind.Value && step.Number(1) != (long)CLONE_NEWUSER)
            Must(state.Untraceable, "nobody inside a namespace that is joined can trace this process (CVE-2016-9962)");

        if (step.Call is setresuid or setresgid or setgroups or setns) Must(state.MapsWritten, "no identity is taken on before the host has written the identity maps");

        // Descriptors.
        Must(step.ClosesOnExec() != false, "every descriptor is closed when a program is executed");
        if (step.IsPrivileged() || step.ClosesOnExec() is not null) Must(state.DescriptorsClose, "the descriptors that were inherited are dealt with before any other is made");

        if (step.Call == dup3) Must(!_inputs.Spec.Descriptors.ContainsKey((int)step.Number(1)), "nothing takes the place of a descriptor that was asked for");

        // Mounts.
        if (step.IsMountCall()) Must(NewMounts, "no mount is touched in a namespace that is not the container's own");
        if (step.Call is move_mount or umount2 or pivot_root) Must(state.MountsCut, "mounts are cut off from the host's before the first is attached or detached");
        if (step.Call == move_mount) Must(state.Pivoted || _targets.IsInside(step), "a mount goes to a place that was opened inside the root, or into a directory that the plan has made");
        if (step.Call == move_mount && step.SlotOf(2) == _targets.Root) Must(!_given.Contains(step.Text(3)!), "the files of /etc that the container is given are not covered by the host's");
        if (state.ScratchPlace is { Length: > 1 } place && HostPath(step) is { } path)
            Must(path != place && !path.StartsWith(place + "/", StringComparison.Ordinal), "no path of the host is named that the scratch file system covers");
        if (step.Call is fchmodat or fchownat)
            Must(_targets.IsOwn(step.SlotOf(0)) || (step.Call == fchownat && (step.Number(4) & AT_SYMLINK_NOFOLLOW) != 0), "no mode and no owner is set by a name at which a stranger's link may stand");
        if (step.Call is mkdirat or mknodat or symlinkat || (step.Call == openat && (step.Number(2) & O_CREAT) != 0))
            Must(_targets.IsMadeInside(step) || (state.Pivoted && step.IsTerminalMaster()), "what is made is one name in a directory that was opened inside the root, or lies in a directory that the plan has made");
        if (step.Call == pivot_root)
        {
            Must(!state.Pivoted && state.Stacked > 0, "the root is changed once, to a mount that is attached");
            Must(state.TakenAlong == 0, "no copy of a mount of the plan's own stands in the new root");
            Must(state.Directory == _targets.Root, "the current directory is the new root when it is made the root");
        }

        if (step.Call == umount2)
            Must(state.Pivoted ? state.Stacked > 0 : state.TakenAlong > 0 && _targets.IsPlaceOfScratch(state.Directory, state.ScratchPlace), "as many mounts are detached as lie on the new root, and not one more: that would be the new root itself");
        if (state.Pivoted && step.Call is not (execve or faccessat) && !step.IsTerminalMaster() && !IsOfLandlock(step))
            Must(!Enumerable.Range(0, step.Operands.Count).Any(i => step.Text(i) is ['/', ..]), "no path of the host is named once the root has changed");
        if (state.Pivoted && step.Call is openat or openat2 && !step.IsTerminalMaster() && !IsOfLandlock(step)) Must(_targets.IsOpenedInside(step, pivoted: true), "the working directory is opened inside the root");

        // Privileges are lost in the order in which losing one needs those that are lost later.
        if (step.IsPrctl(PR_CAP_AMBIENT) && step.Number(1) == PR_CAP_AMBIENT_RAISE)
            Must(state.CapabilitiesSet && Ambient.Has((int)step.Number(2)), "what was said to stay is raised once it is inheritable");
        else if (step.IsPrctl(PR_CAPBSET_DROP) || step.IsPrctl(PR_CAP_AMBIENT))
            Must(!state.AmbientCleared && !state.UserSet && !state.CapabilitiesKept, "the bounding set is dropped before the user changes, because dropping takes CAP_SETPCAP");
        if (state.AmbientCleared && step.Call == setgroups) Must(!state.GroupSet && !state.UserSet, "setgroups precedes setresgid and setresuid");
        if (state.AmbientCleared && step.Call == setresgid) Must(!state.UserSet && (state.GroupsSet || !MaySetGroups), "setresgid comes between setgroups and setresuid");
        if (step.Call == setresuid && state.AmbientCleared) Must(state.GroupSet, "setresuid comes after setresgid");
        if (step.Call == keyctl) Must(state.UserSet && !state.CapabilitiesSet, "the session keyring is the program's user's");
        if (step.Call == capset)
        {
            Must(state.UserSet, "capabilities are given up after the user has changed: changing it takes some, and may bring some back");
            Must(IsGranted(step, confining: !state.CapabilitiesKept && !state.AdminKept), "no capability is kept but those that are granted, those said to stay where the user is not root, and what confining takes until it is done; none is inheritable but those that stay");
        }

        if (state.AdminKept) Must(!_inputs.Spec.NoNewPrivileges, "what confining takes is kept only where new privileges are not forbidden");

        if (state.CapabilitiesSet)
        {
            Must(step.Call is umask or recvfrom or rt_sigaction or rt_sigprocmask or exit_group or execve or faccessat or write
                || step.Call == capset || (step.IsPrctl(PR_CAP_AMBIENT) && step.Number(1) == PR_CAP_AMBIENT_RAISE) || step.IsPrctl(PR_SET_NO_NEW_PRIVS) || step.IsPrctl(PR_SET_PDEATHSIG) || IsAtGate(step) || IsOfTheStart(state, step), "nothing that needs privilege follows once capabilities are given up");
            if (step.Call is write or sendmsg or sendto && !state.IsInit) Must(step.Number(0) == _graph.Channel, "nothing but the channel is written to once capabilities are given up");
        }

        if (state.SignalsUnblocked) Must((step.Call == capset && !_inputs.Spec.NoNewPrivileges) || step.Call is execve or faccessat or write or exit_group || IsAtGate(step) || IsOfTheStart(state, step), "nothing but the start of the program follows once signals are unblocked");
        if (step.Call is landlock_create_ruleset or landlock_add_rule) Must((!NewMounts || state.Pivoted) && state is { Limits: 0, AmbientCleared: false }, "the rules of Landlock are made of the container's own files, while they can be opened");
        if (step.Call == landlock_restrict_self)
        {
            Must(state is { CapabilitiesSet: true, Filtered: false, IsInit: false }, "Landlock is put in force once nothing else needs files, and before system calls are filtered");
            Must(state.NoNewPrivileges || HasAdmin(state), "Landlock takes no_new_privs, or a capability");
        }

        if (step.Call == seccomp)
        {
            Must(state is { CapabilitiesSet: true, SignalsUnblocked: true } && !state.IsInit, "system calls are filtered once all else is done");
            Must(state.NoNewPrivileges || HasAdmin(state), "a filter takes no_new_privs, or a capability");
        }

        if (state.Filtered && step.Call is sendmsg or sendto) Must(_inputs.Filter!.Notifies && step.Number(0) == _graph.Channel && step.Operands[step.Call == sendto ? 3 : 2].Number == SeccompSteps.Unheard, "what is said before anybody hears of filtered calls is marked for the filter");
        else if (state.Filtered) Must((step.Call == capset && !_inputs.Spec.NoNewPrivileges) || step.Call is execve or faccessat or write or exit_group, "nothing but the start of the program follows the filter, which must allow that");
        RequireOfInit(state, step, Must);
        if (state.Limits > 0) Must(step.ClosesOnExec() is null, "the limits are the program's: nothing is opened once they are set");
        if (step.Call == prlimit64) Must(!state.AmbientCleared, "limits are set while there are privileges to do so");
        if (step.Call == ioctl && step.Number(1) == TIOCSCTTY) Must(state.OwnSession && state.HasTerminal, "a terminal controls the session that the program leads");
        if (step.Call == fcntl && step.Number(1) == F_SETFD && step.Number(2) == 0)
            Must(_inputs.Spec.Descriptors.ContainsKey((int)step.Number(0)), "no descriptor stays open but those that were asked for");
        if (step.Call == execve) RequireReady(state, Must);
    }

    /// <summary>A place that the policy names, in the new root, of which nothing but the place is taken.</summary>
    private bool IsOfLandlock(LaunchStep step) => step.Call == openat && step.Number(2) == (O_PATH | O_CLOEXEC) && _inputs.Spec.Landlock?.Paths.Any(path => path.Path == step.Text(1)) == true;

    /// <summary>What comes between the end of all privileges and the program: the init, the terminal, the descriptors asked for.</summary>
    private bool IsOfTheStart(PlanState state, LaunchStep step) => step.Call switch
    {
        clone => _inputs.Spec.Init && !state.IsUnderInit && !state.IsInit,
        sendmsg or sendto when state.Filtered => true,
        sendto => _inputs.Filter?.Notifies == true, // the report of a failure
        sendmsg or dup3 or close_range or wait4 or getppid => state.IsInit,
        setsid or setpgid => state.IsUnderInit,
        ioctl => step.Number(1) == TIOCSCTTY,
        fcntl => step.Number(1) == F_SETFD,
        seccomp or landlock_restrict_self => true,
        _ => false,
    };

    private void RequireOfInit(PlanState state, LaunchStep step, Action<bool, string> must)
    {
        if (step.Call == clone && state.SignalsUnblocked) must(DiesWithHost(state), "an init dies with its host, and so does all that it starts");
        if (!state.IsInit) return;
        must(step.Call is sendmsg or sendto or dup3 or close_range or wait4 or getppid or write or exit_group or capset, "an init does nothing but reap");
        if (step.Call == dup3) must(step.Number(0) == _inputs.Passed.ExitStatus, "an init keeps the way to pass the status on");
        if (step.Call == wait4) must(!state.AdminKept, "an init keeps no capability that is not granted");
        if (step.Call == wait4 || (step.Call == write && step.Number(0) == 0)) must(state.InitLetGo, "an init holds no stream of the program while it waits");
    }

    private bool DiesWithHost(PlanState state) => _inputs.Spec.OutlivesHost ? !state.DeathSignal : state is { DeathSignal: true, HostSeenAlive: true };

    private void RequireReady(PlanState state, Action<bool, string> must)
    {
        must(state.MapsWritten && HasEnteredIdentity(state), "the program starts with the identity of its user namespace");
        must(state.DescriptorsClose, "the program starts without descriptors but the standard streams");
        must(!NewMounts || state.Pivoted, "the program starts with the new root");
        must(!NewMounts || state.Stacked == 0, "the old root, and all that was stacked on it, is detached before the program starts");
        must(state.MountDuties == 0, "what is to be read-only is read-only, and binds propagate as was asked for, before the program starts");
        must(state.Dropped == (_inputs.CanDropBounding ? _ungranted : 0), "all capabilities that are not granted, and no others, are dropped from the bounding set before the program starts");
        must(state.AmbientCleared, "the ambient capabilities are cleared before the program starts");
        must(_inputs.Spec.KeepsKeyring || (state.AskedForKeyring), "a session keyring of its own was asked for before the program starts");
        must(state.Raised == Granted(Ambient), "what was said to stay with a program that is not root is ambient");
        must(state.UserSet && state.GroupSet, "the program runs as its user and group");
        must(state.CapabilitiesKept && !state.AdminKept, "capabilities are given up before the program starts");
        must(state.Landlocked == (_inputs.Spec.Landlock is { BestEffort: false } || (_inputs.Spec.Landlock is not null && _inputs.Host.LandlockVersion > 0)), "Landlock is in force where that was asked for");
        must(state.Filtered == (_inputs.Filter is not null), "system calls are filtered where that was asked for");
        must(state.NoNewPrivileges == _inputs.Spec.NoNewPrivileges, "no_new_privs is set before the program starts, unless it was asked not to be");
        must(state.IsUnderInit || DiesWithHost(state), "the death signal is set after the last change of credentials, which clears it, and the host is looked for after that, unless the program outlives it");
        must(state.IsUnderInit == _inputs.Spec.Init, "an init starts the program where one was asked for");
        must(_inputs.Spec.Terminal is null || state is { HasTerminal: true, ControlsTerminal: true }, "the terminal is the program's standard streams and controls its session");
        must(state.DescriptorsKept == _inputs.Spec.Descriptors.Count, "the descriptors that were asked for stay open");
        must(state.Limits == _inputs.Spec.ResourceLimits.Count, "all limits are set before the program starts");
        must(state.OwnSession == (_inputs.Spec.Session == ProgramSession.New), "the program leads a session of its own, away from the host's terminal, unless it was asked not to");
        must(state.OwnGroup == (_inputs.Spec.Session == ProgramSession.ProcessGroup), "the program leads a process group of its own where one was asked for");
        must(state.UmaskSet, "the umask is the program's");
        must(state.SignalsUnblocked && state.SignalsReset == _ignoredSignals, "signals have their default meaning and are unblocked right before the program starts");
    }

    private PlanState After(PlanState state, LaunchStep step, PlanEdge edge)
    {
        bool succeeded = edge.Succeeded;
        // The one failure that says something: there is nothing to read yet, and the other end is open.
        if (step.Call == recvfrom) return succeeded ? state : state with { HostSeenAlive = step.Expected == -(int)Errno.EAGAIN };

        // Asked for once; where it is refused that is reported, and the program has no other.
        if (step.Call == keyctl) state = state with { AskedForKeyring = true };

        // Setting groups may be forbidden for good, and then there are none to keep.
        if (step.Call == setgroups && step.Expected == -(int)Errno.EPERM) succeeded = true;
        if (!succeeded) return edge.To == step.OnExpected?.Index ? state with { MountDuties = state.MountDuties & ~_duties.GoneBy(step, state.AtRemountDescriptor) } : state;
        if (step.Call == clone && state.SignalsUnblocked)
            return edge.To == step.OnExpected!.Index ? state with { IsUnderInit = true, OwnSession = false, OwnGroup = false } : state with { IsInit = true };
        if (step.Call is setresuid or setresgid or setgroups or clone || (step.Call == setns && step.Number(1) == (long)CLONE_NEWUSER))
            state = state with { DeathSignal = false, HostSeenAlive = false };
        return step.Call switch
        {
            read => step.Expected == LaunchPlanner.GoSize ? state with { MapsWritten = true } : state,
            close_range when step.Number(0) == 3 => state with { DescriptorsClose = step.Number(2) == CLOSE_RANGE_CLOEXEC },
            close_range when state.IsInit => state with { InitLetGo = step.Number(0) == 1 },
            close_range => state with { DescriptorsClose = step.Number(0) == _inputs.Passed.Count },
            fcntl when step.Number(1) == F_SETFD && step.Number(2) == 0 => state with { DescriptorsKept = state.DescriptorsKept + 1 },
            prlimit64 => state with { Limits = state.Limits + 1 },
            ioctl when step.Number(1) == TIOCSCTTY => state with { ControlsTerminal = true },
            setns when step.Number(1) == (long)CLONE_NEWUSER => state with { JoinedUser = true },
            setsid => state with { OwnSession = true, ControlsTerminal = false },
            setpgid => state with { OwnGroup = true },
            clone => state with { OwnSession = false, OwnGroup = false },
            setgroups => state.AmbientCleared ? state with { GroupsSet = HasGroups(step) } : state,
            setresgid => state.AmbientCleared
                ? state with { GroupSet = AllAre(step, _inputs.Identity.GroupId) }
                : state with { IsRootGroup = AllAre(step, 0) },
            setresuid => state.AmbientCleared
                ? state with { UserSet = AllAre(step, _inputs.Identity.UserId) }
                : state with { IsRootUser = AllAre(step, 0) },
            mount when step.Text(1) == "/" => state with { MountsCut = (ulong)step.Number(3) == (MS_REC | MS_PRIVATE) },
            mount => state with { MountDuties = state.MountDuties & ~_duties.DoneByMount(step, state.AtRemountDescriptor) },
            mount_setattr => state with { MountDuties = state.MountDuties & ~_duties.DoneBySetAttr(step) },
            dup3 when step.IsStandardStream(1) => state with { HasTerminal = step.SlotOf(0)?.Name == "terminal" && step.Number(1) == 2 },
            dup3 => state with { AtRemountDescriptor = step.SlotOf(0) },
            fcntl when MountDuties.IsPassed(step) => state with { MountDuties = state.MountDuties | _duties.ArisingFrom(step) },
            open_tree => state with { MountDuties = state.MountDuties | _duties.ArisingFrom(step), TakenAlong = state.TakenAlong + TakenAlong(step, state) },
            move_mount when _targets.PutsRootAtItsDirectory(step) => state with { Stacked = Math.Max(1, state.Stacked) }, // the old root itself, once it lies on the new one
            move_mount when step.StacksOnRoot() => state with { Stacked = state.Stacked + 1, ScratchPlace = state.ScratchPlace ?? "/" },
            move_mount when _targets.PutsScratch(step) => state with { ScratchPlace = step.Text(3) },
            fchdir => state with { Directory = step.SlotOf(0) },
            pivot_root => state with { Pivoted = true }, // the new root is off the stack, and the old one on it
            umount2 => state.Pivoted ? state with { Stacked = state.Stacked - 1 } : state with { TakenAlong = state.TakenAlong - 1 },
            capset => state with { CapabilitiesSet = true, CapabilitiesKept = IsGranted(step, confining: false), AdminKept = !IsGranted(step, confining: false) },
            seccomp => state with { Filtered = true },
            landlock_restrict_self => state with { Landlocked = true },
            umask => state with { UmaskSet = step.Number(0) == _inputs.Spec.Umask },
            rt_sigaction => state with { SignalsReset = state.SignalsReset | 1UL << (int)(step.Number(0) - 1) },
            rt_sigprocmask => state with { SignalsUnblocked = step.Number(0) == SIG_SETMASK && step.Data(1).All(bits => bits == 0) },
            prctl => (int)step.Number(0) switch
            {
                PR_CAPBSET_DROP => state with { Dropped = state.Dropped | 1UL << (int)step.Number(1) },
                PR_CAP_AMBIENT when step.Number(1) == PR_CAP_AMBIENT_RAISE => state with { Raised = state.Raised | 1UL << (int)step.Number(2) },
                PR_CAP_AMBIENT => state with { AmbientCleared = step.Number(1) == PR_CAP_AMBIENT_CLEAR_ALL },
                PR_SET_DUMPABLE => state with { Untraceable = step.Number(1) == 0 },
                PR_SET_NO_NEW_PRIVS => state with { NoNewPrivileges = step.Number(1) == 1 },
                PR_SET_PDEATHSIG => state with { DeathSignal = step.Number(1) == SIGKILL, HostSeenAlive = false },
                _ => state,
            },
            _ => state,
        };
    }

    /// <summary>A path that is looked up in the old root.</summary>
    private static string? HostPath(LaunchStep step) => step.Call switch
    {
        open_tree when step.IsCurrentDirectory(0) => step.Text(1),
        mount => step.Text(1),
        fsconfig when step.Text(2) == "lowerdir" => step.Text(3),
        _ => null,
    };

    /// <summary>A recursive copy takes along what stands in the tree that is copied.</summary>
    private static int TakenAlong(LaunchStep openTree, PlanState state)
    {
        if (!openTree.IsCurrentDirectory(0) || (openTree.Number(2) & AT_RECURSIVE) == 0 || state.ScratchPlace is not { } place) return 0;
        bool whole = openTree.Text(1) == "/";
        return (whole ? state.Stacked : 0) + (place != "/" && (whole || place.StartsWith(openTree.Text(1) + "/", StringComparison.Ordinal)) ? 1 : 0);
    }

    private bool MaySetGroups => _inputs.NewUser
        ? _maps.AllowsSetGroups
        : _inputs.Spec.Namespaces.IsJoined(NamespaceKind.User) || (_inputs.Host.Has(Capability.Setgid) && _inputs.Host.AllowsSetGroups);

    /// <summary>A time namespace of its own: unshare, and setns to what was unshared; not to one that is joined.</summary>
    private static bool IsAboutClocks(LaunchStep step) =>
        (step.Call == unshare && step.Number(0) == (long)CLONE_NEWTIME) || (step.Call == setns && step.SlotOf(0) is not null && step.Number(1) == (long)CLONE_NEWTIME);

    private bool HasJoinedUser(PlanState state) => state.JoinedUser || !_inputs.Spec.Namespaces.IsJoined(NamespaceKind.User);

    private bool HasEnteredIdentity(PlanState state)
    {
        NamespaceSet namespaces = _inputs.Spec.Namespaces;
        if (state.AmbientCleared || namespaces.IsHost(NamespaceKind.User)) return true; // the program's own, from there on
        if (namespaces.IsJoined(NamespaceKind.User)) return state is { JoinedUser: true, IsRootUser: true, IsRootGroup: true };
        return (state.IsRootUser || !_maps.HasRootUser) && (state.IsRootGroup || !_maps.HasRootGroup);
    }

    private static bool AllAre(LaunchStep step, uint id) => step.Operands.All(operand => operand.Kind == OperandKind.Value && operand.Number == id);

    private bool HasGroups(LaunchStep step)
    {
        if (step.Number(0) != _inputs.Identity.Groups.Length) return false;
        ReadOnlySpan<byte> data = step.Data(1);
        for (int i = 0; i < _inputs.Identity.Groups.Length; i++)
            if (BinaryPrimitives.ReadUInt32LittleEndian(data[(4 * i)..]) != _inputs.Identity.Groups[i]) return false;
        return true;
    }

    /// <summary>struct __user_cap_data_struct, twice: effective, permitted, inheritable.</summary>
    private bool IsGranted(LaunchStep step, bool confining)
    {
        uint[] words = [.. Enumerable.Range(0, 6).Select(i => BinaryPrimitives.ReadUInt32LittleEndian(step.Data(1).AsSpan(4 * i)))];
        ulong effective = words[0] | (ulong)words[3] << 32, permitted = words[1] | (ulong)words[4] << 32, inheritable = words[2] | (ulong)words[5] << 32;
        ulong ambient = Granted(Ambient), added = confining ? 1UL << (int)Capability.SysAdmin : 0;
        if (_inputs.Spec.Sets is { } sets)
            return (permitted & ~(Granted(sets.Permitted) | added)) == 0 && (effective & ~(Granted(sets.Effective) | added)) == 0 && inheritable == Granted(sets.Inheritable) && (ambient & ~permitted) == 0;
        ulong granted = (_inputs.Identity.UserId == 0 ? Granted(_inputs.Spec.Capabilities) : ambient) | added;
        return effective == permitted && (permitted & ~granted) == 0 && inheritable == ambient && (ambient & ~permitted) == 0;
    }

    /// <summary>Those that can be: what is not both permitted and inheritable is not raised (capabilities(7)).</summary>
    private CapabilitySet Ambient => _inputs.Spec.Sets is { } sets ? new(sets.Ambient.Bits & sets.Permitted.Bits & sets.Inheritable.Bits) : _inputs.Spec.AmbientCapabilities;

    private ulong Granted(CapabilitySet wanted) =>
        wanted.Bits & (ulong.MaxValue >> (63 - _inputs.Host.LastCapability)) & (_inputs.Spec.Namespaces.IsHost(NamespaceKind.User) ? _inputs.Host.Capabilities.Bits : ulong.MaxValue);

    /// <summary>The word to start comes as one byte, and nothing else is read.</summary>
    private bool IsAtGate(LaunchStep step) => _inputs.Spec.HasGate && step.Call == read && step.Number(0) == _inputs.Passed.Gate && step.Number(2) == (_inputs.Filter?.Notifies == true ? SeccompSteps.UnheardCount : 1);

    private bool HasAdmin(PlanState state) => state.AdminKept || (_inputs.Spec.Sets?.Permitted ?? (_inputs.Identity.UserId == 0 ? _inputs.Spec.Capabilities : _inputs.Spec.AmbientCapabilities)).Has((int)Capability.SysAdmin);
}
