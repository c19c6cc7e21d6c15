using System.Net;

namespace Isolation.Images;

/// <summary>A part of a blob as the body of a request, read while it is sent.</summary>
/// <param name="open">Opens the blob at its beginning, each time anew.</param>
/// <param name="offset">Where the part begins, in bytes.</param>
/// <param name="length">How long it is.</param>
/// <param name="onSent">Told how many bytes went.</param>
internal sealed class UploadContent(Func<CancellationToken, ValueTask<Stream>> open, long offset, long length, Action<int>? onSent) : HttpContent
{
    /// <summary>Called whenever something has gone: the time that it may take begins anew.</summary>
    internal Action? OnProgress { get; set; }

    protected override bool TryComputeLength(out long computed)
    {
        computed = length;
        return true;
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        Stream source = await open(cancellationToken).ConfigureAwait(false);
        await using (source.ConfigureAwait(false))
        {
            byte[] buffer = new byte[128 << 10];
            if (source.CanSeek) source.Position = offset;
            else for (long skipped = 0; skipped < offset;) skipped += await MustReadAsync(source, buffer.AsMemory(0, (int)Math.Min(buffer.Length, offset - skipped)), cancellationToken).ConfigureAwait(false);
            for (long left = length; left > 0;)
            {
                int count = await MustReadAsync(source, buffer.AsMemory(0, (int)Math.Min(buffer.Length, left)), cancellationToken).ConfigureAwait(false);
                await stream.WriteAsync(buffer.AsMemory(0, count), cancellationToken).ConfigureAwait(false);
                left -= count;
                OnProgress?.Invoke();
                onSent?.Invoke(count);
            }
        }
    }

    private static async ValueTask<int> MustReadAsync(Stream source, Memory<byte> buffer, CancellationToken cancellationToken) =>
        await source.ReadAsync(buffer, cancellationToken).ConfigureAwait(false) is > 0 and int count ? count : throw new ImageException(ImageErrorReason.SizeMismatch, "What is uploaded ends before the size that its descriptor says");
}
