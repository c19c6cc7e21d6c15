using System.Runtime.CompilerServices;

namespace Isolation.Linux;

/// <summary>
/// The operands of a failed call, put into words only if it did fail: on success the holes of the interpolated string
/// are not even evaluated.
/// </summary>
[InterpolatedStringHandler]
internal ref struct FailureText
{
    private DefaultInterpolatedStringHandler _text;

    /// <param name="literalLength">From the compiler.</param>
    /// <param name="formattedCount">From the compiler.</param>
    /// <param name="result">What the kernel returned; negative is an errno.</param>
    /// <param name="failed">Whether the compiler's code is to fill in the text.</param>
    public FailureText(int literalLength, int formattedCount, nint result, out bool failed)
    {
        failed = Syscall.IsError(result);
        if (failed) _text = new DefaultInterpolatedStringHandler(literalLength, formattedCount, System.Globalization.CultureInfo.InvariantCulture);
    }

    public void AppendLiteral(string value) => _text.AppendLiteral(value);

    public void AppendFormatted<T>(T value) => _text.AppendFormatted(value);

    public void AppendFormatted<T>(T value, string? format) => _text.AppendFormatted(value, format);

    public void AppendFormatted(scoped ReadOnlySpan<char> value) => _text.AppendFormatted(value);

    internal string ToStringAndClear() => _text.ToStringAndClear();
}
