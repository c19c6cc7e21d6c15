using Isolation.Linux;

namespace Isolation.UnionFs;

/// <summary>
/// A union that is mounted. Disposing it unmounts: who still has files of it open keeps those until they are closed. The
/// files of the writable branch stay. Safe from any thread.
/// </summary>
public sealed class UnionMount : IAsyncDisposable
{
    private readonly Func<ValueTask>? _release;
    private int _disposed;

    internal UnionMount(UnionSpec spec, UnionDriver driver, string method, FileDescriptor root, bool isDetached, string? path, UnionWritable? writable, Func<ValueTask>? release)
    {
        (Spec, Driver, Method, Root, IsDetached, Path, Writable, _release) = (spec, driver, method, root, isDetached, path, writable, release);
    }

    /// <summary>What it was made of.</summary>
    public UnionSpec Spec { get; }

    /// <summary>Who made it.</summary>
    public UnionDriver Driver { get; }

    /// <summary>Which of a driver's ways was taken, for a report.</summary>
    public string Method { get; }

    /// <summary>
    /// The root of the union. Where <see cref="IsDetached"/>, a mount of its own that a launch plan can attach with move_mount(2),
    /// once; otherwise a descriptor of a directory. Disposed with the mount.
    /// </summary>
    public FileDescriptor Root { get; }

    /// <summary>Whether <see cref="Root"/> is a mount that was made without a path.</summary>
    public bool IsDetached { get; }

    /// <summary>Where the union can be seen, or <see langword="null"/> for one that is at no path.</summary>
    public string? Path { get; private set; }

    /// <summary>Where what is written goes; null for a union that is only read.</summary>
    internal UnionWritable? Writable { get; }

    /// <summary>
    /// Gives the union a path. Needs CAP_SYS_ADMIN; a union that is not detached can be used at its <see cref="Path"/>.
    /// </summary>
    /// <param name="directory">A directory that is there; what is in it is hidden until the union is unmounted.</param>
    /// <exception cref="InvalidOperationException">It is attached already, or is no detached mount.</exception>
    /// <exception cref="LinuxException">There is no such directory, or the kernel refuses.</exception>
    public void AttachTo(string directory)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        ObjectDisposedException.ThrowIf(_disposed != 0, this);
        if (!IsDetached) throw new InvalidOperationException($"A union of driver {Driver} is at \"{Path}\" and cannot be attached elsewhere.");
        if (Path is not null) throw new InvalidOperationException($"The union is attached at \"{Path}\" already.");
        using FileDescriptor target = FileDescriptor.Open(directory, Abi.O_PATH | TargetAbi.Current.O_DIRECTORY);
        MountCalls.Attach(Root, target);
        Path = directory;
    }

    /// <inheritdoc cref="IUnionFileSystem.Diff"/>
    /// <remarks>Also of a writable branch in a tmpfs.</remarks>
    public IEnumerable<UnionChange> Diff(CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed != 0, this);
        return UnionDiff.Of(Spec, Writable, cancellationToken);
    }

    /// <summary>Unmounts. A second time does nothing.</summary>
    /// <exception cref="UnionFsException">The driver's program could not be ended.</exception>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        // EINVAL: nobody attached it, or somebody took it down already, or a launch plan has it in another namespace.
        if (IsDetached) MountCalls.Detach(Root);
        Root.Dispose();
        Writable?.Dispose();
        if (_release is not null) await _release().ConfigureAwait(false);
    }
}
