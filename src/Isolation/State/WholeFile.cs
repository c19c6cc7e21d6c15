namespace Isolation;

/// <summary>Files that are read by others at any time: what is in one is all of the old text or all of the new.</summary>
internal static class WholeFile
{
    internal static void Replace(string path, string text)
    {
        string draft = path + ".new";
        File.WriteAllText(draft, text);
        File.Move(draft, path, overwrite: true);
    }
}
