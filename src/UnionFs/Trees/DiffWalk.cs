using Isolation.Linux;

namespace Isolation.UnionFs;

/// <summary>Compares two merged trees, a directory at a time.</summary>
/// <param name="before">Without the changes.</param>
/// <param name="after">With them.</param>
/// <param name="writable">Where the changes are. What it knows to be untouched is not compared. fuse-overlayfs does not keep the time of modification of directories and symbolic links that it copies up: there a directory counts as modified when names came or went.</param>
/// <param name="cancellationToken">Looked at for each file.</param>
internal sealed class DiffWalk(MergedTree before, MergedTree after, UnionWritable writable, CancellationToken cancellationToken)
{
    private readonly FileComparison _comparison = new(areTimesKept: writable.Form != WhiteoutForm.FuseOverlay, writable.Owners);

    internal IEnumerable<UnionChange> Run()
    {
        // A stack of our own: an iterator within an iterator would hand each change up through all levels.
        Stack<Level> levels = new();
        try
        {
            levels.Push(new Level([], before.OpenRoot(), after.OpenRoot()));
            while (levels.TryPeek(out Level? level))
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (level.Next(_comparison, writable.IsUntouched, levels.Count, cancellationToken) is not { } step)
                {
                    levels.Pop().Dispose();
                    continue;
                }

                if (step.Below is not null) levels.Push(step.Below);
                if (step.Change is not null) yield return step.Change;
            }
        }
        finally
        {
            while (levels.TryPop(out Level? level)) level.Dispose();
        }
    }

    private readonly record struct Step(UnionChange? Change, Level? Below);

    private sealed class Level : IDisposable
    {
        private readonly byte[] _path;
        private readonly MergedDirectory? _before;
        private readonly MergedDirectory _after;
        private readonly List<(MergedEntry? Before, MergedEntry? After)> _pairs;
        private int _next;

        internal Level(byte[] path, MergedDirectory? before, MergedDirectory after)
        {
            (_path, _before, _after) = (path, before, after);
            try
            {
                _pairs = Pair(before?.Read() ?? [], after.Read());
            }
            catch
            {
                Dispose();
                throw;
            }
        }

        internal Step? Next(FileComparison comparison, Func<FileStatus, bool> isUntouched, int depth, CancellationToken cancellationToken)
        {
            if (_next == _pairs.Count) return null;
            (MergedEntry? old, MergedEntry? now) = _pairs[_next++];
            if (now is null) return new(Change(old!, UnionChangeKind.Deleted), null);
            if (old is null) return new(Change(now, UnionChangeKind.Added), Below(null, now, depth));
            if (now.IsSameAs(old) || (!now.IsDirectory && !old.IsDirectory && isUntouched(now.Status))) return default(Step);
            Level? below = now.IsDirectory ? Below(old.IsDirectory ? old : null, now, depth) : null;
            bool isSame = comparison.AreEqual(old, now, cancellationToken) && (comparison.AreTimesKept || below is null || below.HasSameNames);
            return new(isSame ? null : Change(now, UnionChangeKind.Modified), below);
        }

        internal bool HasSameNames => _pairs.TrueForAll(pair => pair is { Before: not null, After: not null });

        public void Dispose()
        {
            _before?.Dispose();
            _after.Dispose();
        }

        private Level? Below(MergedEntry? old, MergedEntry now, int depth)
        {
            if (!now.IsDirectory) return null;
            if (depth > MergedTree.MostLevels) throw new LinuxException("open", $"\"{_after.Path}\"", Errno.ENAMETOOLONG, $"The tree is more than {MergedTree.MostLevels} directories deep.");
            MergedDirectory? before = old is null ? null : _before!.Enter(old);
            try
            {
                return new Level(PathOf(now), before, _after.Enter(now));
            }
            catch
            {
                before?.Dispose();
                throw;
            }
        }

        private UnionChange Change(MergedEntry entry, UnionChangeKind kind) => new(PathOf(entry), kind, entry.Status.Type switch
        {
            FileType.Directory => UnionEntryType.Directory,
            FileType.SymbolicLink => UnionEntryType.SymbolicLink,
            FileType.CharacterDevice => UnionEntryType.CharacterDevice,
            FileType.BlockDevice => UnionEntryType.BlockDevice,
            FileType.Fifo => UnionEntryType.Fifo,
            FileType.Socket => UnionEntryType.Socket,
            _ => UnionEntryType.File,
        });

        private byte[] PathOf(MergedEntry entry) => _path.Length == 0 ? entry.Name[..^1] : [.. _path, (byte)'/', .. entry.Name.AsSpan(0, entry.Name.Length - 1)];

        // Both are in order.
        private static List<(MergedEntry?, MergedEntry?)> Pair(List<MergedEntry> old, List<MergedEntry> now)
        {
            List<(MergedEntry?, MergedEntry?)> pairs = [];
            for (int i = 0, j = 0; i < old.Count || j < now.Count;)
            {
                int order = i == old.Count ? 1 : j == now.Count ? -1 : NameComparer.Instance.Compare(old[i].Name, now[j].Name);
                pairs.Add((order <= 0 ? old[i] : null, order >= 0 ? now[j] : null));
                if (order <= 0) i++;
                if (order >= 0) j++;
            }

            return pairs;
        }
    }
}
