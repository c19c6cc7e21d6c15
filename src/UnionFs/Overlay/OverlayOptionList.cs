namespace Isolation.UnionFs;

/// <summary>Options of overlayfs as text, without the layers. Pure.</summary>
internal static class OverlayOptionList
{
    /// <summary>Pairs of key and value; a flag has an empty one.</summary>
    internal static IReadOnlyList<(string Key, string Value)> Of(OverlayOptions options, bool isUserNamespace, bool isWritable)
    {
        List<(string, string)> list = [];
        bool userAttributes = options.UserAttributes ?? isUserNamespace;
        // userxattr and metacopy or redirect_dir exclude one another: a user could write such attributes himself (overlayfs.rst, "User xattr").
        if (userAttributes && (options.Metacopy == true || options.RedirectDirectories == true))
        {
            throw new UnionFsException(UnionFsErrorReason.NotSupported,
                "Overlayfs takes neither metacopy nor redirect_dir where its attributes are user.overlay.*",
                remedy: "Leave both out in a user namespace, or mount outside of one.");
        }

        if (options.Metacopy == true && options.RedirectDirectories == false)
            throw new ArgumentException("Metacopy needs RedirectDirectories (overlayfs.rst, \"Metadata only copy up\").", nameof(options));
        if (userAttributes) list.Add(("userxattr", ""));
        if (options.RedirectDirectories is { } redirect) list.Add(("redirect_dir", redirect ? "on" : "nofollow"));
        else if (options.Metacopy == true) list.Add(("redirect_dir", "on"));
        if (options.Metacopy is { } metacopy) list.Add(("metacopy", metacopy ? "on" : "off"));
        if (options.Context is { } context) list.Add(("context", context));
        if (options.Volatile && isWritable) list.Add(("volatile", ""));
        return list;
    }

    /// <summary>As mount(2) takes them.</summary>
    internal static string Join(IEnumerable<(string Key, string Value)> options) =>
        string.Join(',', options.Select(option => option.Value.Length == 0 ? option.Key : option.Key == "context" ? $"context=\"{option.Value}\"" : $"{option.Key}={option.Value}"));

    /// <summary>
    /// The data of mount(2), with layers under the short names that they are attached at: <c>N</c> is the Nth from the top. 500
    /// layers take less than half of the page that mount(2) copies.
    /// </summary>
    /// <exception cref="UnionFsException">It does not fit.</exception>
    internal static string Data(int layers, bool isWritable, IEnumerable<(string Key, string Value)> options)
    {
        List<(string, string)> all = [("lowerdir", string.Join(':', Enumerable.Range(0, layers)))];
        if (isWritable) all.AddRange([("upperdir", $"w/{WritableDirectory.Upper}"), ("workdir", $"w/{WritableDirectory.Work}")]);
        string data = Join([.. all, .. options]);
        if (data.Length < MostBytes) return data;
        throw new UnionFsException(UnionFsErrorReason.TooManyBranches, $"{layers} layers take {data.Length} bytes of options, and mount(2) takes {MostBytes - 1}");
    }

    // A page of the smallest kind, its NUL included.
    private const int MostBytes = 4096;
}
