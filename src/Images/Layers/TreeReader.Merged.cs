using Isolation.Linux;
using Isolation.UnionFs;

namespace Isolation.Images;

/// <summary>Layers as the one tree that they are together, without mounting them.</summary>
internal sealed partial class TreeReader
{
    /// <param name="tree">What <see cref="PackOptions.Left"/> names is left out of its topmost branch alone, and seen as it is below.</param>
    /// <exception cref="ImageException">A file cannot be read, or cannot be in an image.</exception>
    internal void Run(MergedTree tree)
    {
        Stack<(MergedDirectory Directory, byte[] Path, Queue<MergedEntry> Entries)> levels = new();
        Dictionary<string, (MergedDirectory Holder, MergedEntry Entry)> beneath = [];
        try
        {
            FindBeneath(tree, beneath);
            MergedDirectory top = tree.OpenRoot();
            levels.Push((top, [], new(top.Read())));
            if (options.IncludeTop) AddDirectory(top, "./"u8.ToArray());
            while (levels.TryPeek(out (MergedDirectory Directory, byte[] Path, Queue<MergedEntry> Entries) level))
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (!level.Entries.TryDequeue(out MergedEntry? entry))
                {
                    levels.Pop().Directory.Dispose();
                    continue;
                }

                MergedDirectory holder = level.Directory;
                byte[] path = [.. level.Path, .. entry.Name.AsSpan(0, entry.Name.Length - 1)];
                if (IsLeft(level.Path, entry.Name))
                {
                    if (!beneath.TryGetValue(System.Text.Encoding.UTF8.GetString(path), out (MergedDirectory Holder, MergedEntry Entry) below)) continue;
                    (holder, entry) = below;
                }

                if (!entry.IsDirectory)
                {
                    Read(new(entry.Holder, level.Path, []), entry.Name);
                    continue;
                }

                if (levels.Count == MergedTree.MostLevels) throw new ImageException(ImageErrorReason.TooLarge, $"'{TarPath.Shown(path)}' is more than {MergedTree.MostLevels} directories deep");
                MergedDirectory inside = holder.Enter(entry);
                levels.Push((inside, [.. path, (byte)'/'], new(inside.Read())));
                AddDirectory(inside, [.. path, (byte)'/']);
            }
        }
        catch (LinuxException exception)
        {
            throw ImageException.Of(exception, "Cannot read the layers");
        }
        finally
        {
            while (levels.TryPop(out (MergedDirectory Directory, byte[] Path, Queue<MergedEntry> Entries) level)) level.Directory.Dispose();
            foreach ((MergedDirectory holder, _) in beneath.Values) holder.Dispose();
        }

        archive.Finish();
    }

    private void AddDirectory(MergedDirectory directory, byte[] path) => Add(Described(directory.Top, FileStatus.Of(directory.Top), path, TarType.Directory));

    private void FindBeneath(MergedTree tree, Dictionary<string, (MergedDirectory Holder, MergedEntry Entry)> beneath)
    {
        if (options.Left.Count == 0 || tree.Branches.Count == 1) return;
        MergedTree below = new([.. tree.Branches.Skip(1)]);
        foreach (string path in options.Left)
        {
            MergedDirectory directory = below.OpenRoot();
            byte[][] names = [.. path.Split('/').Select(name => FileName.Of(name))];
            for (int i = 0; i < names.Length && directory.Find(names[i]) is { } entry; i++)
            {
                if (i == names.Length - 1) beneath[path] = (directory, entry);
                if (i == names.Length - 1 || !entry.IsDirectory) break;
                MergedDirectory inside = directory.Enter(entry);
                directory.Dispose();
                directory = inside;
            }

            if (!beneath.ContainsKey(path)) directory.Dispose();
        }
    }
}
