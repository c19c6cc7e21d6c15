using System.Collections.Immutable;

namespace Isolation.Images;

/// <summary>An image that another was made of.</summary>
/// <param name="Digest">Of its manifest.</param>
/// <param name="Reference">Its name at that time; null where it had none.</param>
public sealed record ImageParent(Digest Digest, ImageReference? Reference)
{
    // The first two are image-spec's (annotations.md), and know one image; the third is our own, and knows those below it too.
    private const string BaseDigest = "org.opencontainers.image.base.digest", BaseName = "org.opencontainers.image.base.name", AllBelow = "isolation.image.parents";

    /// <summary>Its digest, and its name where it has one.</summary>
    public override string ToString() => Reference is null ? Digest.ToString() : $"{Digest} {Reference}";

    internal static ImmutableArray<ImageParent> Of(Manifest manifest)
    {
        if (!Digest.TryParse(manifest.Annotations?.GetValueOrDefault(BaseDigest), out Digest? digest)) return [];
        ImageParent parent = new(digest, ImageReference.TryParse(manifest.Annotations!.GetValueOrDefault(BaseName), out ImageReference? name) ? name : null);
        return [parent, .. (manifest.Annotations!.GetValueOrDefault(AllBelow) ?? "").Split(',').Select(Parse).OfType<ImageParent>()];
    }

    /// <summary>What an image over this one says of it.</summary>
    internal static ImmutableSortedDictionary<string, string> Annotations(Image below)
    {
        ImmutableSortedDictionary<string, string> annotations = ImmutableSortedDictionary<string, string>.Empty.Add(BaseDigest, below.Digest.ToString());
        if (below.Reference is { } name) annotations = annotations.Add(BaseName, name.ToString());
        return below.Parents.IsEmpty ? annotations : annotations.Add(AllBelow, string.Join(',', below.Parents));
    }

    private static ImageParent? Parse(string text)
    {
        string[] words = text.Split(' ', 2);
        return Digest.TryParse(words[0], out Digest? digest) ? new(digest, words.Length == 2 && ImageReference.TryParse(words[1], out ImageReference? name) ? name : null) : null;
    }
}
