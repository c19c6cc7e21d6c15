namespace Isolation.Images;

/// <summary>An image whose layers are directories. Immutable; safe from any thread.</summary>
public sealed class UnpackedImage
{
    private readonly StoreLease? _lease; // for as long as anybody has this object, a container that was started from it too

    internal UnpackedImage(Image image, IReadOnlyList<string> layers, StoreLease? lease) => (Image, Layers, _lease) = (image, layers, lease);

    /// <summary>The image.</summary>
    public Image Image { get; }

    /// <summary>From the lowest to the topmost, as absolute paths. There can be one more than the image has: it describes directories that layers have no entry of, as those below do. Never to be written: every container of every image with such a layer has it.</summary>
    public IReadOnlyList<string> Layers { get; }

    /// <summary>Keeps its layers for a process that may outlive this one.</summary>
    /// <returns>Its disposal lets go of them before that process ends; null where the store cannot be written, and so not be collected either.</returns>
    /// <exception cref="ImageException">The store cannot be written any more.</exception>
    internal IDisposable? KeepFor(int processId) => _lease?.For(processId);

    /// <summary>For who knows that nothing uses it any more: a collection may remove its layers.</summary>
    internal void Release() => _lease?.Dispose();
}
