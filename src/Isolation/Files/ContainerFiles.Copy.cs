using Isolation.Linux;

namespace Isolation;

public sealed partial class ContainerFiles
{
    /// <summary>
    /// Copies a file, a directory with all that is in it, or a symbolic link from the host into the container. Where the
    /// destination is a directory, the copy lies in it under its own name; a source that ends in <c>/.</c> fills the
    /// destination with what is in it. A directory that is there is filled and keeps its mode; another file is replaced, by
    /// the whole new one at once.
    /// </summary>
    /// <param name="hostPath">On the host.</param>
    /// <param name="containerPath">Absolute, in the container; links on the way are followed inside its root. Its directory must exist.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <param name="cancellationToken">Ends the copy between two files, and in a large one; what was copied stays.</param>
    /// <remarks>
    /// Kept: permission bits, times of modification, links as they stand, hard links within the tree, holes, FIFOs, and
    /// <c>user.*</c> attributes where the file system has them. Not kept: owners (all belongs to the container's root),
    /// access lists, capabilities, sockets.
    /// </remarks>
    /// <exception cref="ArgumentException">A path is empty or contains a NUL, or the container's is relative.</exception>
    /// <exception cref="ContainerStateException">The container has ended, and its files with it, or they were not its to write.</exception>
    /// <exception cref="ContainerException">A file could not be copied; the message names it and says what was copied before.</exception>
    /// <exception cref="OperationCanceledException">The copy was cancelled.</exception>
    public Task<FileCopyResult> CopyToAsync(string hostPath, string containerPath, FileCopyOptions? options = null, CancellationToken cancellationToken = default)
    {
        ContainerPath source = HostPath(hostPath), target = ContainerPath.Parse(containerPath, nameof(containerPath));
        return CopyAsync($"copy '{hostPath}' to '{containerPath}'", isOutward: false, options, (calls, root, copy) =>
        {
            CheckWritable();
            FileCopy.Run(copy, new(OwnFileCalls.Instance, null, source), new(calls, root, target));
        }, cancellationToken);
    }

    /// <summary>
    /// Copies a file, a directory with all that is in it, or a symbolic link from the container to the host, by the same rules as
    /// <see cref="CopyToAsync"/>. What the container does meanwhile leads nowhere else, on either side.
    /// </summary>
    /// <param name="containerPath">Absolute, in the container; links on the way are followed inside its root, a link as last component is copied.</param>
    /// <param name="hostPath">On the host. Its directory must exist.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <param name="cancellationToken">Ends the copy between two files, and in a large one; what was copied stays.</param>
    /// <remarks>
    /// As for <see cref="CopyToAsync"/>; what is made belongs to the caller. Links that the container made stand in the copy as
    /// they are, and lead where they lead on the host: who reads the copy must not follow them.
    /// </remarks>
    /// <exception cref="ArgumentException">A path is empty or contains a NUL, or the container's is relative.</exception>
    /// <exception cref="ContainerStateException">The container has ended, and its files with it.</exception>
    /// <exception cref="ContainerException">A file could not be copied; the message names it and says what was copied before.</exception>
    /// <exception cref="OperationCanceledException">The copy was cancelled.</exception>
    public Task<FileCopyResult> CopyFromAsync(string containerPath, string hostPath, FileCopyOptions? options = null, CancellationToken cancellationToken = default)
    {
        ContainerPath source = ContainerPath.Parse(containerPath, nameof(containerPath)), target = HostPath(hostPath);
        return CopyAsync($"copy '{containerPath}' to '{hostPath}'", isOutward: true, options, (calls, root, copy) =>
            FileCopy.Run(copy, new(calls, root, source), new(OwnFileCalls.Instance, null, target)), cancellationToken);
    }

    private static ContainerPath HostPath(string hostPath)
    {
        ArgumentException.ThrowIfNullOrEmpty(hostPath);
        // Not Path.GetFullPath, which takes ".." away before the kernel has seen what it leads back from.
        return ContainerPath.Parse(Path.Join(hostPath.StartsWith('/') ? "" : Environment.CurrentDirectory, hostPath), nameof(hostPath)) with { Text = hostPath };
    }

    /// <summary>On a thread of its own: a copy may take long, and the pool's threads are for what does not.</summary>
    private Task<FileCopyResult> CopyAsync(
        string what, bool isOutward, FileCopyOptions? options, Action<FileCalls, FileDescriptor, TreeCopy> run, CancellationToken cancellationToken)
    {
        options ??= new();
        ArgumentOutOfRangeException.ThrowIfNegative(options.MaxEntries, nameof(options));
        ArgumentOutOfRangeException.ThrowIfNegative(options.MaxBytes, nameof(options));
        TreeCopyOptions limits = new(options.KeepSetId, options.SkipDevices, options.MaxEntries, options.MaxBytes);
        return Task.Factory.StartNew(() =>
        {
            FileCopyResult result = new() { Files = 0, Directories = 0, Links = 0, Bytes = 0, Skipped = 0 };
            try
            {
                using ContainerFileCalls calls = new(_container, cancellationToken);
                using FileDescriptor root = ContainerRoot.Open(_container, calls);
                using TreeCopy copy = isOutward ? new(calls, OwnFileCalls.Instance, limits, cancellationToken) : new(OwnFileCalls.Instance, calls, limits, cancellationToken);
                try
                {
                    run(calls, root, copy);
                }
                finally
                {
                    result = Result(copy.Counts);
                }

                return result;
            }
            catch (LinuxException exception)
            {
                throw Failed($"Cannot {what}, after {result} were copied", exception);
            }
        }, cancellationToken, TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach, TaskScheduler.Default);
    }

    private static FileCopyResult Result(TreeCopyCounts counts) => new()
    {
        Files = counts.Files, Directories = counts.Directories, Links = counts.Links, Bytes = counts.Bytes, Skipped = counts.Skipped,
    };
}
