using Isolation.Linux;

namespace Isolation.UnionFs;

/// <summary>A limit of what a directory and all in it may take on disk, by a project of the file system's quotas (ext4, XFS).</summary>
internal static class ProjectQuota
{
    // Ids of ours: from 2^20 on, by the directory's inode; what people name in /etc/projid is small.
    private const uint FirstId = 1 << 20, Ids = 1 << 30;

    /// <summary>Sets it; of a directory that has a project already, for that project.</summary>
    /// <param name="directory">Open, not O_PATH. What is in it before is not counted.</param>
    /// <param name="bytes">Rounded up to KiB.</param>
    /// <returns>False where the file system has no project quotas, or this process may not set them.</returns>
    internal static bool TryLimit(FileDescriptor directory, long bytes)
    {
        FileStatus status = FileStatus.Of(directory);
        if (!QuotaCalls.HasProjects(directory)) return false;
        if (Syscall.IsError(QuotaCalls.GetProject(directory, out uint project, out bool isInherited))) return false;
        if (project == 0 || !isInherited)
        {
            project = Free(directory, status);
            if (project == 0 || Syscall.IsError(QuotaCalls.SetProject(directory, project))) return false;
        }

        return !Syscall.IsError(QuotaCalls.SetLimit(directory, project, bytes));
    }

    /// <summary>How many bytes are taken and allowed; null where there is no such quota.</summary>
    internal static (long Used, long Limit)? Read(FileDescriptor directory)
    {
        if (Syscall.IsError(QuotaCalls.GetProject(directory, out uint project, out _)) || project == 0) return null;
        return Syscall.IsError(QuotaCalls.GetLimit(directory, project, out long used, out long limit)) || limit == 0 ? null : (used, limit);
    }

    /// <summary>Takes the limit away, so that the id can be used again. What is removed with its limit leaves a row in the file system for ever.</summary>
    internal static void Clear(FileDescriptor directory)
    {
        if (!Syscall.IsError(QuotaCalls.GetProject(directory, out uint project, out _)) && project >= FirstId) QuotaCalls.SetLimit(directory, project, 0);
    }

    // An id that has neither a limit nor files. Two processes that look at once start from inodes of their own.
    private static uint Free(FileDescriptor directory, in FileStatus status)
    {
        for (uint i = 0; i < 64; i++)
        {
            uint id = FirstId + (uint)((status.Inode + (i * 0x9E3779B1ul)) % Ids);
            nint result = QuotaCalls.GetLimit(directory, id, out long used, out long limit);
            if (Syscall.Is(result, Errno.ENOENT) || Syscall.Is(result, Errno.ESRCH) || (!Syscall.IsError(result) && used == 0 && limit == 0)) return id;
        }

        return 0;
    }
}
