using Isolation.Linux;

namespace Isolation.Launch;

/// <summary>
/// Keeps the images that were used last, and closes the others: a program that starts many containers of many kinds
/// holds a bounded number of descriptors for them. An image that is needed again is made again. Safe from any thread.
/// </summary>
internal sealed class ImageCache(int most)
{
    private readonly LinkedList<CachedImage> _recent = new();
    private readonly Lock _gate = new();

    internal static ImageCache Shared { get; } = new(most: 64);

    /// <summary>How many images are open.</summary>
    internal int Count
    {
        get
        {
            lock (_gate) return _recent.Count;
        }
    }

    /// <summary>The image, held open until it is let go of with <see cref="System.Runtime.InteropServices.SafeHandle.DangerousRelease"/>.</summary>
    internal (FileDescriptor Descriptor, int Number) Use(CachedImage image)
    {
        lock (_gate)
        {
            if (image.Node is { } node)
            {
                _recent.Remove(node);
                _recent.AddFirst(node);
            }
            else
            {
                image.Descriptor = ImageDescriptor.Create(image.Make());
                image.Node = _recent.AddFirst(image);
                if (_recent.Count > most) Close(_recent.Last!);
            }

            bool held = false;
            image.Descriptor!.DangerousAddRef(ref held);
            return (image.Descriptor, image.Descriptor.Number); // once disposed it will not tell, though it is open
        }
    }

    // Whoever is using it still holds it.
    private void Close(LinkedListNode<CachedImage> node)
    {
        _recent.Remove(node);
        node.Value.Descriptor!.Dispose();
        (node.Value.Node, node.Value.Descriptor) = (null, null);
    }
}

/// <summary>An image that can be made any number of times; belongs to one cache.</summary>
internal sealed class CachedImage(Func<byte[]> make)
{
    internal Func<byte[]> Make { get; } = make;

    internal FileDescriptor? Descriptor { get; set; }

    internal LinkedListNode<CachedImage>? Node { get; set; }
}
