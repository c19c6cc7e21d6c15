using System.Collections.Immutable;
using Microsoft.Extensions.Logging;

namespace Isolation;

/// <summary>
/// Says step by step what a container is to be. All is isolated unless a call says otherwise: each relaxation is visible.
/// Every method returns the builder itself; it is not safe from several threads at once. What it builds is.
/// </summary>
/// <example>
/// <code>
/// ContainerResult result = await new ContainerBuilder().FromHost().WithCommand("id").RunAsync();
/// </code>
/// </example>
public sealed partial class ContainerBuilder
{
    private ContainerSpec _draft = new();
    private ContainerSpec? _built;

    /// <summary>
    /// The root is made of the host's own files: all of them to be read, none of them to be changed. What the container
    /// writes goes to a private layer in memory that is thrown away with it. <c>/tmp</c>, <c>/run</c>, <c>/dev</c>,
    /// <c>/proc</c> and <c>/sys</c> are its own.
    /// </summary>
    /// <param name="layerSizeBytes">The most that the private layer may hold, in bytes; 1 GiB by default.</param>
    public ContainerBuilder FromHost(long layerSizeBytes = 1L << 30) => Set(_draft with { Root = new HostRoot { LayerSize = Positive(layerSizeBytes) } });

    /// <summary>The root is a directory of the host.</summary>
    /// <param name="path">An absolute path, or one relative to the current directory.</param>
    /// <param name="access">What the container may do with it; it may read it by default.</param>
    /// <param name="layerSizeBytes">The most that a private layer may hold, in bytes, where there is one; 1 GiB by default.</param>
    public ContainerBuilder FromDirectory(string path, RootAccess access = RootAccess.ReadOnly, long layerSizeBytes = 1L << 30)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (!Enum.IsDefined(access)) throw new ArgumentOutOfRangeException(nameof(access), access, "There is no such access.");
        return Set(_draft with { Root = new DirectoryRoot(Path.GetFullPath(PathText.Checked(path, nameof(path))), access) { LayerSize = Positive(layerSizeBytes) } });
    }

    /// <summary>The program and its arguments. A name without a slash is looked for in the container's PATH.</summary>
    /// <param name="command">The program first. None may hold a NUL character.</param>
    public ContainerBuilder WithCommand(params IReadOnlyList<string> command)
    {
        ArgumentNullException.ThrowIfNull(command);
        return Set(_draft with { Command = [.. command] });
    }

    /// <summary>Sets a variable of the program's environment. It starts with <c>PATH</c>, and <c>HOME</c> from the user's entry, and with nothing of the host's.</summary>
    public ContainerBuilder WithEnvironment(string name, string value)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(value);
        if (name.Contains('=') || name.Contains('\0')) throw new ArgumentException($"The environment name '{name.Replace("\0", "\\0", StringComparison.Ordinal)}' holds '=' or NUL.", nameof(name));
        if (value.Contains('\0')) throw new ArgumentException($"The value of the environment variable '{name}' holds NUL.", nameof(value));
        return Set(_draft with { Environment = _draft.Environment.SetItem(name, value) });
    }

    /// <summary>Where the program starts: an absolute path inside the container that exists there. <c>/</c> by default.</summary>
    public ContainerBuilder WithWorkingDirectory(string path) => Set(_draft with { WorkingDirectory = PathText.Absolute(path, nameof(path)) });

    /// <summary>
    /// Who runs the program: <c>user</c> or <c>user:group</c>, names or numbers; names are those of the container's own
    /// <c>/etc/passwd</c> and <c>/etc/group</c>. Root of the container by default.
    /// </summary>
    public ContainerBuilder WithUser(string user) => Set(_draft with { User = UserSpec.Parse(user) });

    /// <summary>Who runs the program, by number.</summary>
    public ContainerBuilder WithUser(uint userId, uint groupId) => WithUser(FormattableString.Invariant($"{userId}:{groupId}"));

    /// <summary>Permission bits that files the program creates do not get (umask(2)); octal 022 by default.</summary>
    /// <param name="mask">0 to octal 0777.</param>
    public ContainerBuilder WithUmask(int mask)
    {
        if (mask is < 0 or > 0x1FF) throw new ArgumentOutOfRangeException(nameof(mask), mask, "A umask is 0 to 0777 (octal).");
        return Set(_draft with { Umask = mask });
    }

    /// <summary>
    /// How many bytes of each output stream are kept for the result; what is over is read and dropped, and counted. 64 MiB by default.
    /// </summary>
    public ContainerBuilder WithOutputLimit(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        return Set(_draft with { OutputLimit = bytes });
    }

    /// <summary>Grants a capability that containers are not given as a rule. It holds within the container's user namespace.</summary>
    public ContainerBuilder AddCapability(Capability capability) => Set(_draft with { Capabilities = _draft.Capabilities.With(capability) });

    /// <summary>Takes a capability away.</summary>
    public ContainerBuilder DropCapability(Capability capability) => Set(_draft with { Capabilities = _draft.Capabilities.Without(capability) });

    /// <summary>Takes every capability away.</summary>
    public ContainerBuilder DropAllCapabilities() => Set(_draft with { Capabilities = CapabilitySet.None });

    /// <summary>Lets set-user-ID programs and file capabilities take effect (prctl(2), PR_SET_NO_NEW_PRIVS off).</summary>
    public ContainerBuilder AllowNewPrivileges() => Set(_draft with { NoNewPrivileges = false });

    /// <summary>
    /// Lets containers be started inside this one. Gives up the masks over <c>/proc</c> and <c>/sys</c>: the kernel makes
    /// a new procfs in a user namespace only where the one around it is fully visible. So what runs inside can read what
    /// the masks hide, and, where its root is the host's root, write kernel settings that any root may write.
    /// </summary>
    public ContainerBuilder WithNesting() => Set(_draft with { Nesting = true });

    /// <summary>Where warnings and fallbacks are logged; nowhere by default.</summary>
    public ContainerBuilder WithLogger(ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(logger);
        return Set(_draft with { Logger = logger });
    }

    /// <summary>Checks all that can be known before anything is created.</summary>
    /// <exception cref="InvalidOperationException">Something is missing, or two things contradict each other.</exception>
    /// <exception cref="ArgumentException">A value is not possible.</exception>
    /// <exception cref="DirectoryNotFoundException">The root directory does not exist.</exception>
    public ContainerSpec Build()
    {
        if (_built is not null) return _built;
        SpecValidation.Check(_draft);
        return _built = _draft;
    }

    /// <summary>Builds, starts, and returns when the program runs. See <see cref="ContainerSpec.StartAsync"/>.</summary>
    public Task<Container> StartAsync(CancellationToken cancellationToken = default) => Build().StartAsync(cancellationToken);

    /// <summary>Builds, starts, waits for the end, and cleans up. See <see cref="ContainerSpec.RunAsync"/>.</summary>
    public Task<ContainerResult> RunAsync(CancellationToken cancellationToken = default) => Build().RunAsync(cancellationToken);

    /// <summary>The plan of a launch in words: each system call in order, what it is for, and where it goes from there. Creates nothing.</summary>
    public string Explain() => Build().Explain();

    private ContainerBuilder Set(ContainerSpec draft)
    {
        _draft = draft;
        _built = null;
        return this;
    }

    private static long Positive(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytes);
        return bytes;
    }
}
