using System.Text;
using Isolation.Linux;

namespace Isolation.UnionFs;

/// <summary>Which paths of a union are others than in its read-only branches, as a copy of the changes alone asks for them.</summary>
internal sealed class ChangedPaths
{
    // As text: names that are no UTF-8 and look alike are all taken, and a file more in a layer changes nothing.
    private readonly HashSet<string> _changed = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<byte[]>> _gone = new(StringComparer.Ordinal);

    internal ChangedPaths(IEnumerable<UnionChange> changes)
    {
        foreach (UnionChange change in changes)
        {
            ReadOnlySpan<byte> path = change.PathBytes.Span;
            int slash = path.LastIndexOf((byte)'/');
            if (change.Kind != UnionChangeKind.Deleted)
            {
                _changed.Add("/" + change.Path);
            }
            else
            {
                string directory = slash < 0 ? "" : "/" + Encoding.UTF8.GetString(path[..slash]);
                if (!_gone.TryGetValue(directory, out List<byte[]>? names)) _gone[directory] = names = [];
                names.Add([.. path[(slash + 1)..], 0]);
            }

            // The directories on the way, which need not be changed themselves.
            for (; slash >= 0; slash = path[..slash].LastIndexOf((byte)'/')) _changed.Add("/" + Encoding.UTF8.GetString(path[..slash]));
        }
    }

    internal bool Has(string path) => _changed.Contains(path);

    /// <summary>The names, each ended by a NUL, that are gone from a directory.</summary>
    internal IReadOnlyList<byte[]> GoneFrom(string directory) => _gone.GetValueOrDefault(directory) ?? [];

    /// <summary>Writes the changes of a union into an empty directory as overlayfs would have kept them, whoever keeps them how.</summary>
    /// <exception cref="UnionFsException">One cannot be read or written.</exception>
    internal static void Write(UnionMount union, FileDescriptor target, CancellationToken cancellationToken)
    {
        UnionWritable writable = union.Writable ?? throw UnionDiff.OnlyRead();
        try
        {
            ChangedPaths changes = new(union.Diff(cancellationToken));
            using OpenedBranches lower = OpenedBranches.Open(union.Spec.Lower);
            new MergedCopy(mayLink: false, owners: null, cancellationToken) { Only = changes }.Run(UnionDiff.After(writable, lower), target);
        }
        catch (LinuxException exception)
        {
            throw UnionFailure.Of("Cannot gather the changes of the union", exception, UnionFsErrorReason.Failed);
        }
    }
}
