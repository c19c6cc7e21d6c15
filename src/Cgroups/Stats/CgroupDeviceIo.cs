namespace Isolation.Cgroups;

/// <summary>
/// What a control group and those beneath it read from a block device and wrote to it, since the group was made.
/// Kernel documents: admin-guide/cgroup-v1/blkio-controller.rst, admin-guide/cgroup-v2.rst ("IO").
/// </summary>
/// <remarks>
/// <para>v1: <c>blkio.throttle.io_service_bytes_recursive</c> and <c>blkio.throttle.io_serviced_recursive</c>, and the same of
/// <c>blkio.bfq</c>, of which the greater counts: from Linux 6.10 on the former are silent about a device until somebody
/// writes a limit for it (one of 0, which is none, will do), and the latter know only devices that the BFQ scheduler
/// serves. Data written through the page cache is charged to the root group on v1, because nobody knows any more who
/// wrote it; direct and synchronous writing, and reading, are charged to who does it.</para>
/// <para>v2: <c>io.stat</c>; written data is charged to who wrote it, where the file system supports that.</para>
/// </remarks>
public struct CgroupDeviceIo
{
    internal Figure ReadBytesFigure, WrittenBytesFigure, DiscardedBytesFigure, ReadsFigure, WritesFigure, DiscardsFigure;

    internal CgroupDeviceIo(uint major, uint minor) => (Major, Minor) = (major, minor);

    /// <summary>The device's major number (makedev(3)).</summary>
    public uint Major { get; }

    /// <summary>The device's minor number.</summary>
    public uint Minor { get; }

    /// <summary>In bytes. v1 <c>Read</c>; v2 <c>rbytes</c>.</summary>
    public readonly long? ReadBytes => ReadBytesFigure.Value;

    /// <summary>In bytes. v1 <c>Write</c>; v2 <c>wbytes</c>.</summary>
    public readonly long? WrittenBytes => WrittenBytesFigure.Value;

    /// <summary>In bytes. v1 <c>Discard</c>; v2 <c>dbytes</c>.</summary>
    public readonly long? DiscardedBytes => DiscardedBytesFigure.Value;

    /// <summary>A number of operations. v1 <c>Read</c>; v2 <c>rios</c>.</summary>
    public readonly long? Reads => ReadsFigure.Value;

    /// <summary>A number of operations. v1 <c>Write</c>; v2 <c>wios</c>.</summary>
    public readonly long? Writes => WritesFigure.Value;

    /// <summary>A number of operations. v1 <c>Discard</c>; v2 <c>dios</c>.</summary>
    public readonly long? Discards => DiscardsFigure.Value;
}
