using Isolation.Linux;

namespace Isolation.UnionFs.Tests;

/// <summary>A directory that is gone with the test, whatever is in it.</summary>
internal sealed class Scratch : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("isolation-test-");

    internal string this[string name] => Path.Join(_directory.FullName, name);

    internal string Make(string name) => Directory.CreateDirectory(this[name]).FullName;

    internal string Write(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(this[name])!);
        File.WriteAllText(this[name], text);
        return this[name];
    }

    internal FileDescriptor Open(string name) => FileDescriptor.Open(this[name], Abi.O_RDONLY);

    public void Dispose()
    {
        using FileDescriptor parent = FileDescriptor.Open(_directory.Parent!.FullName, Abi.O_RDONLY);
        TreeRemoval.Remove(parent, FileName.Of(_directory.Name));
    }
}
