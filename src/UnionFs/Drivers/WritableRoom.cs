using Isolation.Linux;

namespace Isolation.UnionFs;

/// <summary>Where the upper and the work directory of an overlay are: the directory of the spec, or a tmpfs in its place where that has no quota.</summary>
internal sealed class WritableRoom : IDisposable
{
    private FileDescriptor? _upper;

    private WritableRoom(FileDescriptor directory, FileDescriptor upper, bool isTmpfs) => (Directory, _upper, IsTmpfs) = (directory, upper, isTmpfs);

    /// <summary>Holds the two directories, which are of one mount.</summary>
    internal FileDescriptor Directory { get; }

    /// <summary>Whether it is a tmpfs, detached.</summary>
    internal bool IsTmpfs { get; }

    /// <returns>Null for a spec that is only read.</returns>
    internal static WritableRoom? Open(UnionSpec spec, FileDescriptor likeness)
    {
        if (!spec.IsWritable) return null;
        FileDescriptor? directory = spec.Writable is null ? null : WritableDirectory.Open(spec.Writable);
        try
        {
            bool isTmpfs = directory is null || (spec.WritableBytes is { } bytes && !ProjectQuota.TryLimit(directory, bytes));
            if (isTmpfs)
            {
                directory?.Dispose();
                directory = Tmpfs(spec.WritableBytes!.Value);
            }

            return new(directory!, WritableDirectory.Prepare(directory!, likeness, withWork: true), isTmpfs);
        }
        catch (LinuxException exception)
        {
            directory?.Dispose();
            throw UnionFailure.Of($"The writable branch \"{spec.Writable ?? "tmpfs"}\" cannot be prepared", exception, UnionFsErrorReason.WritableUnusable);
        }
        catch
        {
            directory?.Dispose();
            throw;
        }
    }

    /// <summary>Hands out what was written, which outlives this.</summary>
    internal UnionWritable Take(WhiteoutForm form)
    {
        UnionWritable writable = new(_upper!, form, IsWhole: false);
        _upper = null;
        return writable;
    }

    public void Dispose()
    {
        _upper?.Dispose();
        Directory.Dispose();
    }

    private static FileDescriptor Tmpfs(long bytes)
    {
        using MountContext context = MountContext.Open("tmpfs");
        context.Set("size", bytes.ToString(System.Globalization.CultureInfo.InvariantCulture));
        context.Set("mode", "0700");
        return context.Make(Abi.MOUNT_ATTR_NODEV | Abi.MOUNT_ATTR_NOSUID);
    }
}
