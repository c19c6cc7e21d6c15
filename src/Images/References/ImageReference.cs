using System.Diagnostics.CodeAnalysis;

namespace Isolation.Images;

/// <summary>
/// The name of an image: <c>debian</c>, <c>localhost:5000/team/tool:1.2</c>, <c>name@sha256:…</c>, by the grammar of
/// github.com/distribution/reference. A short name is one of Docker Hub, as docker(1) has it. Immutable; equal by its parts.
/// </summary>
public sealed record ImageReference
{
    /// <summary>What a name without a tag and a digest means.</summary>
    public const string DefaultTag = "latest";

    /// <summary>Of a <see cref="Path"/>, in characters.</summary>
    public const int LongestPath = 255;

    internal const string Hub = "docker.io";

    private const string OldHub = "index.docker.io", Official = "library/";

    internal ImageReference(string domain, string path, string? tag, Digest? digest) => (Domain, Path, Tag, Digest) = (domain, path, tag, digest);

    /// <summary>Where it is to be had: a host's name or address, with its port where one was given.</summary>
    public string Domain { get; }

    /// <summary>Which repository there.</summary>
    public string Path { get; }

    /// <summary>Which of its images, by a word that may come to mean another; null where none was given.</summary>
    public string? Tag { get; }

    /// <summary>Which of its images, by what it is; it holds beside a tag.</summary>
    public Digest? Digest { get; }

    /// <summary>The domain and the path.</summary>
    public string Name => $"{Domain}/{Path}";

    /// <summary>The name as short as docker(1) writes it: without the domain of Docker Hub, and there without <c>library/</c>.</summary>
    public string FamiliarName => Domain != Hub ? Name : Path.StartsWith(Official, StringComparison.Ordinal) && !Path.AsSpan(Official.Length).Contains('/') ? Path[Official.Length..] : Path;

    /// <exception cref="FormatException">It is no name of an image; the message says why.</exception>
    public static ImageReference Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return ReferenceGrammar.WhyNot(text, out ImageReference? reference) is { } why ? throw new FormatException($"'{text}' is no name of an image: {why}.") : reference!;
    }

    /// <summary>False where it is no name of an image.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out ImageReference? reference)
    {
        reference = null;
        return text is not null && ReferenceGrammar.WhyNot(text, out reference) is null;
    }

    /// <summary>The same, with <see cref="DefaultTag"/> where there is neither a tag nor a digest.</summary>
    public ImageReference WithDefaultTag() => Tag is null && Digest is null ? new(Domain, Path, DefaultTag, null) : this;

    /// <summary>The same image of the same repository by what it is, and without its tag.</summary>
    public ImageReference WithDigest(Digest digest)
    {
        ArgumentNullException.ThrowIfNull(digest);
        return new(Domain, Path, null, digest);
    }

    /// <summary>In full, as <see cref="Parse"/> takes it: <c>domain/path:tag@digest</c>.</summary>
    public override string ToString() => Suffixed(Name);

    /// <summary>As docker(1) writes it.</summary>
    public string ToFamiliarString() => Suffixed(FamiliarName);

    /// <summary>A name as it was written, split into its domain and its path.</summary>
    internal static (string Domain, string Path) Split(string name)
    {
        int slash = name.IndexOf('/', StringComparison.Ordinal);
        bool hasDomain = slash > 0 && (name.AsSpan(0, slash).ContainsAny('.', ':') || name[..slash] == "localhost" || name.AsSpan(0, slash).ContainsAnyInRange('A', 'Z'));
        (string domain, string path) = hasDomain ? (name[..slash], name[(slash + 1)..]) : (Hub, name);
        if (domain == OldHub) domain = Hub;
        return (domain, domain == Hub && !path.Contains('/') ? Official + path : path);
    }

    private string Suffixed(string name) => name + (Tag is null ? "" : ":" + Tag) + (Digest is null ? "" : "@" + Digest);
}
