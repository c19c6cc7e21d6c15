namespace Isolation.Linux;

/// <summary>
/// The calls that make, open and change files, each on a name in a directory that is a descriptor. An abstraction because
/// of who makes them: this process, or one that lives in the user namespace to which the files belong.
/// </summary>
/// <remarks>
/// Names and paths are ended by a NUL. Each call returns what the kernel returns: a value, or -errno. No call but
/// <see cref="Open"/> follows a link as last component, and that one only where its flags leave out O_NOFOLLOW.
/// </remarks>
internal abstract class FileCalls
{
    /// <summary>As openat2(2); O_CLOEXEC is added. O_CREAT must come with O_EXCL, so that what is opened was made by the call.</summary>
    /// <param name="directory">Where the path starts.</param>
    /// <param name="path">Ended by a NUL.</param>
    /// <param name="flags">As for openat.</param>
    /// <param name="mode">Of what is created, whatever this process's umask.</param>
    /// <param name="resolve">RESOLVE_IN_ROOT and the like.</param>
    /// <returns>A descriptor of this process, or -errno.</returns>
    internal abstract nint Open(FileDescriptor directory, ReadOnlySpan<byte> path, int flags, uint mode = 0, ulong resolve = 0);

    /// <summary>What an O_PATH descriptor stands for, opened for use by the name under which it was found.</summary>
    /// <returns>A descriptor of this process, or -errno; ESTALE where the name means another file by now.</returns>
    internal abstract nint Reopen(FileDescriptor found, FileDescriptor directory, ReadOnlySpan<byte> name, int flags);

    internal abstract nint MakeDirectory(FileDescriptor directory, ReadOnlySpan<byte> name, uint mode);

    /// <param name="directory">Where.</param>
    /// <param name="name">Ended by a NUL.</param>
    /// <param name="mode">With the kind of node: a FIFO or a socket.</param>
    internal abstract nint MakeNode(FileDescriptor directory, ReadOnlySpan<byte> name, uint mode);

    internal abstract nint MakeLink(ReadOnlySpan<byte> target, FileDescriptor directory, ReadOnlySpan<byte> name);

    /// <summary>A second name of a file; a link is not followed.</summary>
    internal abstract nint AddName(FileDescriptor fromDirectory, ReadOnlySpan<byte> from, FileDescriptor directory, ReadOnlySpan<byte> name);

    /// <summary>Within one directory; what has the new name already is replaced.</summary>
    internal abstract nint Rename(FileDescriptor directory, ReadOnlySpan<byte> from, ReadOnlySpan<byte> to);

    internal abstract nint Remove(FileDescriptor directory, ReadOnlySpan<byte> name);

    /// <param name="file">Not an O_PATH descriptor.</param>
    /// <param name="mode">Permission bits.</param>
    internal abstract nint ChangeMode(FileDescriptor file, uint mode);

    internal abstract nint ChangeModified(FileDescriptor directory, ReadOnlySpan<byte> name, (long Seconds, uint Nanoseconds) modified);

    /// <param name="file">Not an O_PATH descriptor.</param>
    /// <param name="attribute">Its name, ended by a NUL.</param>
    /// <param name="value">Its value.</param>
    internal abstract nint SetAttribute(FileDescriptor file, ReadOnlySpan<byte> attribute, ReadOnlySpan<byte> value);
}
