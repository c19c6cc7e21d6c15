using System.Text;

namespace Isolation.Images;

/// <summary>What a server said, as it may be shown: it may say anything.</summary>
internal static class RegistryText
{
    private const int Longest = 300;

    /// <summary>Without control characters, and not longer than a line or two.</summary>
    internal static string Shown(string text)
    {
        StringBuilder shown = new(Math.Min(text.Length, Longest));
        foreach (Rune letter in text.EnumerateRunes())
        {
            if (shown.Length >= Longest) return shown.Append('…').ToString();
            if (Rune.IsControl(letter) || Rune.GetUnicodeCategory(letter) is System.Globalization.UnicodeCategory.Format) shown.Append(' ');
            else shown.Append(letter.ToString());
        }

        return shown.ToString();
    }
}
