namespace Isolation;

/// <summary>Which stream of a program.</summary>
public enum OutputOrigin
{
    /// <summary>Standard output.</summary>
    StandardOutput,

    /// <summary>Standard error.</summary>
    StandardError,
}

/// <summary>A line that a program wrote.</summary>
/// <param name="Origin">Where it wrote it.</param>
/// <param name="Text">The line as UTF-8, without its end. Bytes that are none become U+FFFD.</param>
/// <param name="Time">When it was read; the program wrote it a moment before.</param>
public readonly record struct OutputLine(OutputOrigin Origin, string Text, DateTimeOffset Time);
