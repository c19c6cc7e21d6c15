namespace Isolation.Images;

public sealed partial class ImageStore
{
    /// <summary>
    /// Reads every blob, and unpacks every unpacked layer anew beside it, to compare the two: names, kinds, contents, holes, owners, modes,
    /// times, attributes, links and device numbers of all its files. Unpacked layers that no name leads to are not looked at:
    /// nothing says what they should be. Changes nothing.
    /// </summary>
    /// <returns>What is damaged or missing; empty where all is well.</returns>
    /// <exception cref="ImageException">The index is damaged, or there is no room to unpack.</exception>
    public async Task<IReadOnlyList<StoreDamage>> VerifyAsync(CancellationToken cancellationToken = default) =>
        [.. (await FindDamageAsync(await Task.Run(Mark, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false)).Select(found => found.Damage)];

    /// <summary>
    /// Verifies, and unpacks damaged layers once more from their blobs. A layer that somebody uses is left: remove the containers first.
    /// A damaged blob is mended by loading or pulling the image again.
    /// </summary>
    /// <returns>What is damaged still.</returns>
    /// <exception cref="ImageException">The index is damaged, or the store cannot be written.</exception>
    public async Task<IReadOnlyList<StoreDamage>> RepairAsync(CancellationToken cancellationToken = default)
    {
        using IDisposable held = await _files.LockAsync(CollectLock, cancellationToken).ConfigureAwait(false); // who begins to use a layer waits
        HashSet<string> kept = await Task.Run(() => StoreLease.ReadAll(_files.Leases), cancellationToken).ConfigureAwait(false);
        StoreMarks marks = await Task.Run(Mark, cancellationToken).ConfigureAwait(false);
        List<StoreDamage> left = [];
        foreach ((StoreDamage damage, ImageLayer? layer) in await FindDamageAsync(marks, cancellationToken).ConfigureAwait(false))
        {
            if (!damage.IsLayer || kept.Contains(damage.What.ToString()))
            {
                left.Add(damage);
                continue;
            }

            if (layer is not null) await _layers.ReplaceAsync(layer, cancellationToken).ConfigureAwait(false);

            // What lies over layers is made anew when it is needed.
            foreach ((Digest chain, (IReadOnlyList<ImageLayer> layers, _)) in marks.Chains)
                if (layer is null ? chain == damage.What : layers.Contains(layer)) _directories.RemoveOf(chain);
        }

        return left;
    }

    private async Task<List<(StoreDamage Damage, ImageLayer? Layer)>> FindDamageAsync(StoreMarks marks, CancellationToken cancellationToken)
    {
        List<(StoreDamage Damage, ImageLayer? Layer)> damages = [];
        foreach ((Digest digest, (Descriptor descriptor, List<string> images)) in marks.Blobs)
            if (await ProblemOfAsync(descriptor, cancellationToken).ConfigureAwait(false) is { } problem) damages.Add((new(digest, IsLayer: false, problem, images), null));
        foreach (string path in _files.BlobPaths())
        {
            // Those that nothing leads to: their names say what they should be.
            if (!Digest.TryParse(DigestOf(path), out Digest? digest) || marks.Blobs.ContainsKey(digest) || new FileInfo(path) is not { Exists: true } file) continue;
            Descriptor descriptor = new() { MediaType = "application/octet-stream", Digest = digest, Size = file.Length };
            if (await ProblemOfAsync(descriptor, cancellationToken).ConfigureAwait(false) is { } problem && File.Exists(path)) damages.Add((new(digest, IsLayer: false, problem, []), null));
        }

        foreach ((Digest diffId, (ImageLayer layer, List<string> images)) in marks.Layers)
        {
            if (damages.Any(damage => damage.Damage.What == layer.Descriptor.Digest)) continue; // there is nothing to compare it with
            if (await _layers.ProblemOfAsync(layer, cancellationToken).ConfigureAwait(false) is { } problem) damages.Add((new(diffId, IsLayer: true, problem, images), layer));
        }

        foreach ((Digest chain, (IReadOnlyList<ImageLayer> layers, List<string> images)) in marks.Chains)
        {
            string?[] trees = [.. layers.Select(layer => damages.Any(damage => damage.Damage.What == layer.DiffId) ? null : _layers.Find(layer))];
            if (trees.Contains(null)) continue; // likewise
            if (await _directories.ProblemOfAsync(chain, trees!, cancellationToken).ConfigureAwait(false) is { } problem) damages.Add((new(chain, IsLayer: true, problem, images), null));
        }

        return damages;
    }

    private async Task<string?> ProblemOfAsync(Descriptor descriptor, CancellationToken cancellationToken)
    {
        if (!descriptor.Digest.CanVerify) return null;
        try
        {
            Digest got = await Blobs.DigestOfAsync(descriptor, cancellationToken).ConfigureAwait(false);
            return got == descriptor.Digest ? null : $"the blob is {got}";
        }
        catch (ImageException exception)
        {
            return exception.Message;
        }
    }
}
