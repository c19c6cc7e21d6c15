namespace Isolation;

/// <summary>
/// What is said alike of a container's first program and of one that is started in it later. Every method returns the
/// builder itself; it is not safe from several threads at once.
/// </summary>
/// <typeparam name="TSelf">The builder itself.</typeparam>
public abstract partial class ProgramBuilder<TSelf>
    where TSelf : ProgramBuilder<TSelf>
{
    private protected ProgramBuilder(ContainerSpec draft) => Draft = draft;

    private protected ContainerSpec Draft { get; private set; }

    /// <summary>The program and its arguments. A name without a slash is looked for in the container's PATH.</summary>
    /// <param name="command">The program first. None may hold a NUL character.</param>
    public TSelf WithCommand(params IReadOnlyList<string> command)
    {
        ArgumentNullException.ThrowIfNull(command);
        return Set(Draft with { Command = [.. command] });
    }

    /// <summary>Sets a variable of the program's environment. It starts with <c>PATH</c>, and <c>HOME</c> from the user's entry, and with nothing of the host's.</summary>
    public TSelf WithEnvironment(string name, string value)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(value);
        if (name.Contains('=') || name.Contains('\0')) throw new ArgumentException($"The environment name '{name.Replace("\0", "\\0", StringComparison.Ordinal)}' holds '=' or NUL.", nameof(name));
        if (value.Contains('\0')) throw new ArgumentException($"The value of the environment variable '{name}' holds NUL.", nameof(value));
        return Set(Draft with { Environment = Draft.Environment.SetItem(name, value), GivenVariables = Draft.GivenVariables.Add(name) });
    }

    /// <summary>Where the program starts: an absolute path inside the container that exists there. <c>/</c> by default.</summary>
    public TSelf WithWorkingDirectory(string path) => Set(Draft with { WorkingDirectory = PathText.Absolute(path, nameof(path)), Given = Draft.Given | GivenSettings.WorkingDirectory });

    /// <summary>
    /// Who runs the program: <c>user</c> or <c>user:group</c>, names or numbers; names are those of the container's own
    /// <c>/etc/passwd</c> and <c>/etc/group</c>. Root of the container by default.
    /// </summary>
    public TSelf WithUser(string user) => Set(Draft with { User = UserSpec.Parse(user) });

    /// <summary>Who runs the program, by number.</summary>
    public TSelf WithUser(uint userId, uint groupId) => WithUser(FormattableString.Invariant($"{userId}:{groupId}"));

    /// <summary>Permission bits that files the program creates do not get (umask(2)); octal 022 by default.</summary>
    /// <param name="mask">0 to octal 0777.</param>
    public TSelf WithUmask(int mask)
    {
        if (mask is < 0 or > 0x1FF) throw new ArgumentOutOfRangeException(nameof(mask), mask, "A umask is 0 to 0777 (octal).");
        return Set(Draft with { Umask = mask });
    }

    /// <summary>
    /// How many bytes of each output stream are kept for the result; what is over is read and dropped, and counted. 64 MiB by default.
    /// </summary>
    public TSelf WithOutputLimit(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        return Set(Draft with { OutputLimit = bytes });
    }

    /// <summary>
    /// Grants a capability that containers are not given as a rule. It holds within the container's user namespace. With <see cref="Capability.SysAdmin"/> a
    /// program can take masks and read-only mounts away; where its root is root of the host as well, as it is by default where the caller is root, it can then
    /// write the host's kernel settings: give it ids of its own with <c>WithUserMapping</c> or <c>WithSubordinateIds</c>.
    /// </summary>
    public TSelf AddCapability(Capability capability) => Set(Draft with { Capabilities = Draft.Capabilities.With(capability) });

    /// <summary>
    /// Grants a capability that the program has even where it is not root, and that it passes on to what it starts (capabilities(7), "Ambient").
    /// Without this a program that is not root has none.
    /// </summary>
    public TSelf AddAmbientCapability(Capability capability) =>
        Set(Draft with { Capabilities = Draft.Capabilities.With(capability), AmbientCapabilities = Draft.AmbientCapabilities.With(capability) });

    /// <summary>Takes a capability away.</summary>
    public TSelf DropCapability(Capability capability) =>
        Set(Draft with { Capabilities = Draft.Capabilities.Without(capability), AmbientCapabilities = Draft.AmbientCapabilities.Without(capability) });

    /// <summary>Takes every capability away.</summary>
    public TSelf DropAllCapabilities() => Set(Draft with { Capabilities = CapabilitySet.None, AmbientCapabilities = CapabilitySet.None });

    /// <summary>
    /// Lets set-user-ID programs and file capabilities take effect (prctl(2), PR_SET_NO_NEW_PRIVS off). What may be gained is the bounding set: the
    /// capabilities that are granted.
    /// </summary>
    public TSelf AllowNewPrivileges() => Set(Draft with { NoNewPrivileges = false });

    /// <summary>
    /// Which system calls the program may make, and all that it starts (seccomp(2)): <see cref="SeccompPolicy.Default"/> where nothing is said. A further
    /// program of a container has the container's policy where none is given.
    /// </summary>
    /// <param name="policy">It must allow execve and exit_group.</param>
    public TSelf WithSeccomp(SeccompPolicy policy)
    {
        ArgumentNullException.ThrowIfNull(policy);
        return Set(Draft with { Seccomp = policy, Unfiltered = false });
    }

    /// <summary>Lets the program make every system call that the kernel has, and that its capabilities allow.</summary>
    public TSelf WithoutSeccomp() => Set(Draft with { Seccomp = null, Unfiltered = true });

    /// <summary>
    /// Asks a delegate about system calls of the program, and of all that it starts (seccomp_unotify(2)): about those that are named, and those that the policy
    /// leaves to it (<see cref="SeccompAction.Notify"/>). It may run several times at once, on the thread pool. A call whose answer fails with an exception fails
    /// with EIO, one whose answer does not come in time with ETIMEDOUT; both are logged. Calls of the kernel's (vDSO) are not seen.
    /// </summary>
    /// <param name="handler">Who decides.</param>
    /// <param name="timeout">How long it may take; 30 seconds where it is null.</param>
    /// <param name="systemCalls">Their names, as in <c>asm/unistd.h</c> without <c>__NR_</c>.</param>
    public TSelf WithSystemCallHandler(SystemCallHandler handler, TimeSpan? timeout, params IReadOnlyList<string> systemCalls)
    {
        ArgumentNullException.ThrowIfNull(handler);
        ArgumentNullException.ThrowIfNull(systemCalls);
        TimeSpan limit = timeout ?? TimeSpan.FromSeconds(30);
        if (limit != Timeout.InfiniteTimeSpan && (limit <= TimeSpan.Zero || limit.TotalMilliseconds > int.MaxValue)) throw new ArgumentOutOfRangeException(nameof(timeout), timeout, "An answer may take more than nothing and less than 24 days, or for ever.");
        return Set(Draft with { Interception = new([.. systemCalls], handler, limit) });
    }

    /// <summary>As the other, with 30 seconds for an answer.</summary>
    public TSelf WithSystemCallHandler(SystemCallHandler handler, params IReadOnlyList<string> systemCalls) => WithSystemCallHandler(handler, null, systemCalls);

    /// <summary>Labels the program by a label of the caller's choice, and if given what is mounted for it.</summary>
    /// <param name="process">user:role:type, and :level where the policy has levels.</param>
    /// <param name="mounts">Of tmpfs, devpts and overlay file systems made for the container; null for those that the policy gives. Not of a further program.</param>
    /// <param name="preferred">As of <see cref="ContainerBuilder.WithSelinux"/>.</param>
    /// <exception cref="ContainerException">As of <see cref="ContainerBuilder.WithSelinux"/>.</exception>
    public TSelf WithSelinuxLabel(string process, string? mounts = null, bool preferred = false) =>
        Set(Draft with { Selinux = new(SelinuxLabels.Checked(process, nameof(process)), mounts is null ? null : SelinuxLabels.Checked(mounts, nameof(mounts)), preferred) });

    /// <summary>Confines the program by a profile of AppArmor that is loaded (apparmor(7)), and further programs of the container too.</summary>
    /// <param name="profile">Its name. <see cref="AppArmorProfiles"/> has one, and loads it.</param>
    /// <param name="stacked">On top of this process's own profile, and not instead of it.</param>
    /// <param name="preferred">Where it cannot be had the program runs without, and <see cref="Container.Enforcement"/> says so; else the launch fails.</param>
    public TSelf WithAppArmorProfile(string profile, bool stacked = false, bool preferred = false) => Set(Draft with { AppArmor = new(AppArmorProfiles.Checked(profile), stacked, preferred) });

    /// <summary>Confines the program further, and all that it starts (landlock(7)). A further program of a container has the container's policy where none is given.</summary>
    /// <param name="policy">What it may still do. The program, its loader and its libraries must be executable and readable.</param>
    public TSelf WithLandlock(LandlockPolicy policy)
    {
        ArgumentNullException.ThrowIfNull(policy);
        return Set(Draft with { Landlock = policy });
    }

    private protected virtual TSelf Set(ContainerSpec draft)
    {
        Draft = draft;
        return (TSelf)this;
    }
}
