namespace Isolation.Live.Tests;

/// <summary>A directory of the host, gone with the test.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    internal TemporaryDirectory(string? parent = null)
    {
        Path = System.IO.Path.Join(parent ?? System.IO.Path.GetTempPath(), "isolation-live-" + Guid.NewGuid().ToString("N")[..12]);
        Directory.CreateDirectory(Path, (UnixFileMode)0x1ED);
    }

    internal string Path { get; }

    internal string this[string name] => System.IO.Path.Join(Path, name);

    internal string MakeDirectory(string name) => Directory.CreateDirectory(this[name]).FullName;

    internal string Write(string name, string text)
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(this[name])!);
        File.WriteAllText(this[name], text);
        return this[name];
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
