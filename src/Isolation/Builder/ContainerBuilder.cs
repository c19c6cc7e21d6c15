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
public sealed partial class ContainerBuilder : ProgramBuilder<ContainerBuilder>
{
    private ContainerSpec? _built;

    /// <summary>A container of which nothing is said yet: it needs a root and a command.</summary>
    public ContainerBuilder()
        : base(new ContainerSpec())
    {
    }

    /// <summary>
    /// The root is made of the host's own files: all of them to be read, none of them to be changed. What the container
    /// writes goes to a private layer in memory that is thrown away with it. <c>/tmp</c>, <c>/run</c>, <c>/dev</c>,
    /// <c>/proc</c> and <c>/sys</c> are its own.
    /// </summary>
    /// <param name="layerSizeBytes">The most that the private layer may hold, in bytes; 1 GiB by default.</param>
    public ContainerBuilder FromHost(long layerSizeBytes = 1L << 30) => Set(Draft with { Root = new HostRoot { LayerSize = Positive(layerSizeBytes) } });

    /// <summary>The root is a directory of the host.</summary>
    /// <param name="path">An absolute path, or one relative to the current directory.</param>
    /// <param name="access">What the container may do with it; it may read it by default.</param>
    /// <param name="layerSizeBytes">The most that a private layer may hold, in bytes, where there is one; 1 GiB by default.</param>
    public ContainerBuilder FromDirectory(string path, RootAccess access = RootAccess.ReadOnly, long layerSizeBytes = 1L << 30)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (!Enum.IsDefined(access)) throw new ArgumentOutOfRangeException(nameof(access), access, "There is no such access.");
        return Set(Draft with { Root = new DirectoryRoot(Path.GetFullPath(PathText.Checked(path, nameof(path))), access) { LayerSize = Positive(layerSizeBytes) } });
    }

    /// <summary>
    /// Lets containers be started inside this one. Gives up the masks over <c>/proc</c> and <c>/sys</c>: the kernel makes
    /// a new procfs in a user namespace only where the one around it is fully visible. So what runs inside can read what
    /// the masks hide, and, where its root is the host's root, write kernel settings that any root may write.
    /// </summary>
    public ContainerBuilder WithNesting() => Set(Draft with { Nesting = true });

    /// <summary>
    /// The container is run by another OCI runtime: its program is executed, and this library around it keeps its streams, limits and figures, kills all of it, and leaves nothing
    /// behind. What the runtime leaves out is in <see cref="Container.Enforcement"/>. A program that a signal has ended has the exit code 128 and the signal's number.
    /// </summary>
    /// <param name="runtime">Which; looked for when the container starts.</param>
    public ContainerBuilder WithRuntime(OciRuntime runtime)
    {
        ArgumentNullException.ThrowIfNull(runtime);
        return Set(Draft with { Runtime = runtime });
    }

    /// <summary>
    /// The first process is an init that is part of this library: it starts the program, reaps the orphans that come to it,
    /// and passes the program's exit status on. Signals go to the program. Needs a new pid namespace.
    /// </summary>
    public ContainerBuilder WithInit() => Set(Draft with { Init = true });

    /// <summary>Where the life of the container and of further programs in it is logged, with warnings and fallbacks; nowhere by default.</summary>
    public ContainerBuilder WithLogger(ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(logger);
        return Set(Draft with { Logger = logger });
    }

    /// <summary>Checks all that can be known before anything is created.</summary>
    /// <exception cref="InvalidOperationException">Something is missing, or two things contradict each other.</exception>
    /// <exception cref="ArgumentException">A value is not possible.</exception>
    /// <exception cref="DirectoryNotFoundException">The root directory does not exist.</exception>
    public ContainerSpec Build()
    {
        if (_built is not null) return _built;
        return _image is null ? Built(Draft) : BuildAsync().GetAwaiter().GetResult();
    }

    /// <summary>Builds, starts, and returns when the program runs. See <see cref="ContainerSpec.StartAsync"/>.</summary>
    public Task<Container> StartAsync(CancellationToken cancellationToken = default) =>
        _image is null || _built is not null ? Build().StartAsync(cancellationToken) : StartBuiltAsync(cancellationToken);

    /// <summary>Builds, starts, waits for the end, and cleans up. See <see cref="ContainerSpec.RunAsync"/>.</summary>
    public Task<ContainerResult> RunAsync(CancellationToken cancellationToken = default) =>
        _image is null || _built is not null ? Build().RunAsync(cancellationToken) : RunBuiltAsync(cancellationToken);

    /// <inheritdoc cref="ContainerSpec.DetachAsync"/>
    /// <exception cref="InvalidOperationException">Something is missing, contradicts itself, or takes a process that is there.</exception>
    public Task<DetachedContainer> DetachAsync(DetachOptions? options = null, CancellationToken cancellationToken = default) =>
        _image is null || _built is not null ? Build().DetachAsync(options, cancellationToken) : DetachBuiltAsync(options, cancellationToken);

    /// <summary>The plan of a launch in words: each system call in order, what it is for, and where it goes from there. Creates nothing.</summary>
    public string Explain() => Build().Explain();

    private protected override ContainerBuilder Set(ContainerSpec draft)
    {
        _built = null;
        if (draft.Root is not null) _image = null;
        return base.Set(draft);
    }

    private ContainerSpec Built(ContainerSpec draft)
    {
        if (draft.ReadOnlyRoot)
        {
            draft = draft with
            {
                Root = draft.Root switch
                {
                    HostRoot root => root with { Sealed = true },
                    DirectoryRoot root => root with { Access = RootAccess.ReadOnly },
                    LayersRoot root => root with { Access = RootAccess.ReadOnly },
                    _ => draft.Root,
                },
            };
        }

        SpecValidation.Check(draft);
        return _built = draft;
    }

    private async Task<Container> StartBuiltAsync(CancellationToken cancellationToken) => await (await BuildAsync(cancellationToken).ConfigureAwait(false)).StartAsync(cancellationToken).ConfigureAwait(false);

    private async Task<ContainerResult> RunBuiltAsync(CancellationToken cancellationToken) => await (await BuildAsync(cancellationToken).ConfigureAwait(false)).RunAsync(cancellationToken).ConfigureAwait(false);

    private async Task<DetachedContainer> DetachBuiltAsync(DetachOptions? options, CancellationToken cancellationToken) => await (await BuildAsync(cancellationToken).ConfigureAwait(false)).DetachAsync(options, cancellationToken).ConfigureAwait(false);

    private static long Positive(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytes);
        return bytes;
    }
}
