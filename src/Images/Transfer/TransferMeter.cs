namespace Isolation.Images;

/// <summary>Adds up how far a transfer has come, and tells whoever wants to know; from several threads, one after the other.</summary>
internal sealed class TransferMeter(IProgress<TransferProgress>? progress)
{
    private const long Step = 256 << 10; // not for every few bytes
    private readonly Lock _adding = new();
    private readonly Dictionary<Digest, (long Bytes, long Told)> _blobs = [];
    private int _layers;
    private int _done;
    private long _total;
    private long _bytes;

    /// <summary>What there is to be transferred; several images may be, one after the other.</summary>
    internal void Expect(IEnumerable<Descriptor> blobs, int layers)
    {
        lock (_adding)
        {
            _layers += layers;
            foreach (Descriptor blob in blobs) Of(blob);
        }
    }

    internal void Add(Descriptor blob, int count)
    {
        lock (_adding)
        {
            (long bytes, long told) = Of(blob);
            long now = Math.Min(blob.Size, bytes + count); // some are sent twice
            _bytes += now - bytes;
            bool tells = now - told >= Step || now == blob.Size;
            _blobs[blob.Digest] = (now, tells ? now : told);
            if (tells) Tell(blob, now);
        }
    }

    /// <summary>A blob is where it should be.</summary>
    internal void Finish(Descriptor blob, bool isLayer)
    {
        lock (_adding)
        {
            _bytes += blob.Size - Of(blob).Bytes;
            _blobs[blob.Digest] = (blob.Size, blob.Size);
            if (isLayer) _done++;
            Tell(blob, blob.Size);
        }
    }

    private (long Bytes, long Told) Of(Descriptor blob)
    {
        if (_blobs.TryAdd(blob.Digest, default)) _total += blob.Size;
        return _blobs[blob.Digest];
    }

    private void Tell(Descriptor blob, long bytes) => progress?.Report(new() { Blob = blob, BlobBytes = bytes, Layers = _layers, LayersDone = _done, TotalBytes = _total, Bytes = _bytes });
}
