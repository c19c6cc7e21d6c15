namespace Isolation.Tests;

/// <summary>A directory for one test, removed with it.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    internal string Path { get; } = Directory.CreateTempSubdirectory("isolation-test-").FullName;

    internal string this[string name] => System.IO.Path.Join(Path, name);

    /// <summary>Writes a file, with the directories it is in.</summary>
    internal string Write(string name, string text)
    {
        string path = this[name];
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
