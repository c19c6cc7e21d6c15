using Isolation.Linux;

namespace Isolation.UnionFs;

/// <summary>A branch whose whiteouts are to be said in another form.</summary>
public static class WhiteoutTree
{
    /// <summary>
    /// Rewrites every whiteout and every opaque directory of a tree, in place. What it meets is not followed out of the tree.
    /// Interrupted, it can be run again: what is in the new form by then is left alone, unless the two forms cannot be told
    /// apart, which only a file that an image itself calls <c>.wh.NAME</c> brings about.
    /// </summary>
    /// <param name="directory">The top of the branch, which nobody has mounted.</param>
    /// <param name="from">What it is written in.</param>
    /// <param name="to">What it is to be written in.</param>
    /// <param name="cancellationToken">Looked at for each directory.</param>
    /// <returns>How many marks were rewritten.</returns>
    /// <exception cref="UnionFsException">
    /// <see cref="UnionFsErrorReason.NotSupported"/>: a name has no whiteout in the new form (too long, or a file of the tree has that
    /// name already). Others: the tree cannot be read or written.
    /// </exception>
    public static long Convert(string directory, WhiteoutForm from, WhiteoutForm to, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        if (from == to) return 0;
        try
        {
            using FileDescriptor root = FileDescriptor.Open(directory, Abi.O_RDONLY | TargetAbi.Current.O_DIRECTORY);
            return new Conversion(from, to, cancellationToken).Run(root, "", 0);
        }
        catch (LinuxException exception)
        {
            throw UnionFailure.Of($"Cannot write the whiteouts of \"{directory}\" in the form of {to}", exception, UnionFsErrorReason.Failed);
        }
    }

    private sealed class Conversion(WhiteoutForm from, WhiteoutForm to, CancellationToken cancellationToken)
    {
        internal long Run(FileDescriptor directory, string path, int depth)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (depth > MergedTree.MostLevels) throw new LinuxException("open", $"\"{path}\"", Errno.ENAMETOOLONG, $"The tree is more than {MergedTree.MostLevels} directories deep.");
            long count = 0;
            Syscall.Check(DirectoryListing.TryRead(directory, 1 << 24, out List<byte[]> names), "getdents64", $"\"{path}\"");
            foreach (byte[] name in names)
            {
                if (DotForm.IsReadIn(from) && DotForm.IsOwn(name)) continue;
                nint found = FileEntries.Status(directory, name, out FileStatus status);
                if (Syscall.Is(found, Errno.ENOENT)) continue;
                string at = $"{path}/{FileName.Text(name)}";
                Syscall.Check(found, "statx", $"\"{at}\"");
                if (DotForm.IsReadIn(from) && DotForm.IsWhiteout(name)) count += Rewrite(directory, name, DotForm.Hidden(name), at);
                else if (OverlayForm.IsReadIn(from) && OverlayForm.IsWhiteout(status)) count += Rewrite(directory, name, name, at);
                else if (DotForm.IsReadIn(to) && !DotForm.IsReadIn(from) && (DotForm.IsWhiteout(name) || DotForm.IsOwn(name))) throw Ambiguous(at);
                else if (status.Type == FileType.Directory) count += Enter(directory, name, at, depth);
            }

            return count;
        }

        private long Enter(FileDescriptor directory, byte[] name, string at, int depth)
        {
            bool isOpaque = Whiteouts.IsOpaque(directory, name, from);
            using FileDescriptor below = MergedTree.OpenDirectory(directory, name, at);
            if (from == WhiteoutForm.Overlay && to != WhiteoutForm.Overlay && OverlayForm.RedirectOf(below) is not null)
                throw new UnionFsException(UnionFsErrorReason.NotSupported, $"\"{at}\" is a directory that overlayfs renamed (redirect_dir), which the form of {to} cannot say");
            // First what is in it: read as opaque to the end, and its mark of the old form is no file to be converted.
            long count = Run(below, at, depth + 1);
            if (!isOpaque) return count;
            Whiteouts.ClearOpaque(directory, name);
            Syscall.Check(Whiteouts.MakeOpaque(below, to), "setxattr", $"\"{at}\", opaque");
            return count + 1;
        }

        private long Rewrite(FileDescriptor directory, byte[] mark, byte[] hidden, string at)
        {
            bool isInTheWay = !Syscall.IsError(FileEntries.Status(directory, hidden, out FileStatus other)) && !OverlayForm.IsWhiteout(other);
            // The branch itself has a file of the name, which hides what is below by itself in the forms that have one place
            // for both; a directory must be opaque for that.
            if (isInTheWay && other.Type == FileType.Directory && to != WhiteoutForm.Aufs)
            {
                using FileDescriptor same = MergedTree.OpenDirectory(directory, hidden, at);
                Syscall.Check(Whiteouts.MakeOpaque(same, to), "setxattr", $"\"{at}\", opaque");
            }
            else if (!isInTheWay || to == WhiteoutForm.Aufs)
            {
                // The new one first: without either, what is gone would be there again.
                nint made = Whiteouts.Make(directory, hidden, to);
                if (!Syscall.Is(made, Errno.EEXIST)) Syscall.Check(made, "mknod", $"\"{at}\"");
            }

            bool isDot = !mark.AsSpan().SequenceEqual(hidden);
            bool isDevice = !Syscall.IsError(FileEntries.Status(directory, hidden, out other)) && OverlayForm.IsWhiteout(other);
            bool isOld = to == WhiteoutForm.Aufs ? !isDot : isDot && (isDevice || isInTheWay);
            if (isOld) Syscall.Check(FileEntries.Remove(directory, mark), "unlink", $"\"{at}\"");
            return 1;
        }

        private UnionFsException Ambiguous(string at) =>
            new(UnionFsErrorReason.NotSupported, $"\"{at}\" is a file of the branch, and would be a whiteout in the form of {to}", remedy: "Use a driver that takes the form of overlayfs.");
    }
}
