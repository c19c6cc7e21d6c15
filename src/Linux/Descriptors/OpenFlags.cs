using System.Text;

namespace Isolation.Linux;

/// <summary>Open flags in words, for messages: <c>O_WRONLY|O_CREAT</c>. O_CLOEXEC is not worth a word, it is always there.</summary>
internal static class OpenFlags
{
    private static readonly (int Flag, string Name)[] Names =
    [
        (Abi.O_CREAT, "O_CREAT"),
        (Abi.O_EXCL, "O_EXCL"),
        (Abi.O_NOCTTY, "O_NOCTTY"),
        (Abi.O_TRUNC, "O_TRUNC"),
        (Abi.O_APPEND, "O_APPEND"),
        (Abi.O_NONBLOCK, "O_NONBLOCK"),
        (TargetAbi.Current.O_DIRECTORY, "O_DIRECTORY"),
        (TargetAbi.Current.O_NOFOLLOW, "O_NOFOLLOW"),
        (Abi.O_PATH, "O_PATH"),
    ];

    internal static string Format(int flags)
    {
        flags &= ~Abi.O_CLOEXEC;
        var text = new StringBuilder();
        // An access mode means nothing beside O_PATH.
        if ((flags & Abi.O_PATH) == 0)
            text.Append((flags & 3) switch { Abi.O_RDONLY => "O_RDONLY", Abi.O_WRONLY => "O_WRONLY", Abi.O_RDWR => "O_RDWR", _ => "3" });
        int rest = flags & ~3;
        foreach (var (flag, name) in Names)
        {
            if ((rest & flag) == 0) continue;
            rest &= ~flag;
            Separate(text).Append(name);
        }
        if (rest != 0) Separate(text).Append("0x").Append(rest.ToString("x", System.Globalization.CultureInfo.InvariantCulture));
        return text.ToString();
    }

    private static StringBuilder Separate(StringBuilder text) => text.Length == 0 ? text : text.Append('|');
}
