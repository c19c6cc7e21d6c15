using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace Isolation.Images;

/// <summary>
/// What a machine must be to run an image: <c>linux/amd64</c>, <c>linux/arm/v7</c> (OCI image-spec 1.1, image-index.md,
/// "platform"; the names are those of Go's GOOS and GOARCH). Immutable; equal by its parts.
/// </summary>
/// <param name="Os">The operating system.</param>
/// <param name="Architecture">Of the processor.</param>
/// <param name="Variant">Of the architecture; null where nothing more is said.</param>
public sealed record Platform(string Os, string Architecture, string? Variant = null)
{
    /// <summary>That of this process.</summary>
    public static Platform Current { get; } = new("linux", RuntimeInformation.ProcessArchitecture switch
    {
        System.Runtime.InteropServices.Architecture.X64 => "amd64",
        System.Runtime.InteropServices.Architecture.Arm64 => "arm64",
        System.Runtime.InteropServices.Architecture other => other.ToString().ToLowerInvariant(),
    });

    /// <summary><c>os/architecture</c> or <c>os/architecture/variant</c>, in the customary spellings too: <c>linux/x86_64</c>, <c>linux/aarch64</c>.</summary>
    /// <exception cref="FormatException">It is no platform.</exception>
    public static Platform Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return TryParse(text, out Platform? platform) ? platform : throw new FormatException($"'{text}' is no platform: write OS/ARCHITECTURE or OS/ARCHITECTURE/VARIANT, such as linux/amd64 or linux/arm/v7.");
    }

    /// <summary>False where it is no platform.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out Platform? platform)
    {
        platform = null;
        string[] parts = text?.Split('/') ?? [];
        if (parts.Length is not (2 or 3) || !parts.All(IsWord)) return false;
        platform = new Platform(parts[0], parts[1], parts.Length == 3 ? parts[2] : null).Normalized();
        return true;
    }

    /// <summary>
    /// Of several that an index offers the position of the best one for this platform: the same variant, else the highest
    /// below it, else one that names none; null where none would run. Of equal ones the first.
    /// </summary>
    public int? Choose(IReadOnlyList<Platform?> offered)
    {
        ArgumentNullException.ThrowIfNull(offered);
        Platform wanted = Normalized();
        int? best = null;
        int most = 0;
        for (int i = 0; i < offered.Count; i++)
        {
            int suits = offered[i] is { } platform ? wanted.Suits(platform.Normalized()) : 0;
            if (suits > most) (best, most) = (i, suits);
        }

        return best;
    }

    /// <summary>One spelling for each: <c>x86_64</c> is amd64, arm64 is of v8, arm without more of v7, and amd64 of v1.</summary>
    public Platform Normalized()
    {
        string os = Os.ToLowerInvariant(), architecture = Architecture.ToLowerInvariant();
        string? variant = Variant is { Length: > 0 } ? Variant.ToLowerInvariant() : null;
        (architecture, variant) = (architecture, variant) switch
        {
            ("x86_64" or "x86-64", _) => ("amd64", variant),
            ("i386", _) => ("386", null),
            ("aarch64", _) => ("arm64", variant),
            ("armhf", _) => ("arm", "v7"),
            ("armel", _) => ("arm", "v6"),
            _ => (architecture, variant),
        };
        variant = (architecture, variant) switch
        {
            ("arm64", "8" or "v8") => null,
            ("amd64", "v1") => null,
            ("arm", null or "7") => "v7",
            ("arm", "5" or "6" or "8") => "v" + variant,
            _ => variant,
        };
        return new(os, architecture, variant);
    }

    /// <summary><c>os/architecture</c>, with <c>/variant</c> where there is one.</summary>
    public override string ToString() => Variant is null ? $"{Os}/{Architecture}" : $"{Os}/{Architecture}/{Variant}";

    /// <summary>How well what was made for another runs here; 0 where it does not. Both are normalized.</summary>
    private int Suits(Platform other)
    {
        if (Os != other.Os || Architecture != other.Architecture) return 0;
        if (Variant == other.Variant) return int.MaxValue;

        // Variants of one architecture are in order, and each runs what was made for those below; none is the lowest.
        int own = Level(Variant), level = Level(other.Variant);
        return level <= own ? level + 1 : 0;
    }

    private int Level(string? variant) => variant is null ? Architecture == "arm64" ? 80 : Architecture == "amd64" ? 10 : 0
        : variant.StartsWith('v') && decimal.TryParse(variant.AsSpan(1), System.Globalization.NumberStyles.AllowDecimalPoint, System.Globalization.CultureInfo.InvariantCulture, out decimal number) && number is >= 0 and < 1000 ? (int)(number * 10)
        : int.MaxValue - 1;

    private static bool IsWord(string text) => text.Length > 0 && text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-' or '.');
}
